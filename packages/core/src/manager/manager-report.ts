/** How one manager stands: what is watched of its stores, put together when somebody asks, or for the fleet. */

import type { BoardStore } from '../boards/board-store.ts'
import type { CacheNode } from '../cache/node.ts'
import { INTERNALS } from '../contracts/internals.ts'
import type { FleetCalls } from '../fleet/fleet-calls.ts'
import type { Limits } from '../limits/limits.ts'
import type { Locks } from '../locks/locks.ts'
import type { SessionStore } from '../sessions/session-store.ts'
import type { StreamStore } from '../streams/stream-store.ts'
import { createFleet } from './create-fleet.ts'
import { healthOf, type ManagerHealth } from './health.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import {
  type BreakerStatus,
  type ManagerStatus,
  type StatusParts,
  statusOf,
  untilReady,
} from './status.ts'
import { StoreTallies } from './store-tallies.ts'
import type { StoreWatch } from './store-watch.ts'
import { watchStores } from './watch-stores.ts'

/** What a manager has made so far: locks, limits, sessions, boards and streams are made at their first use. */
export interface MadeSoFar {
  readonly locks: Locks | undefined
  readonly limits: Limits | undefined
  readonly sessions: SessionStore | undefined
  readonly boards: BoardStore | undefined
  readonly streams: StreamStore | undefined
}

/** A store of locks, limits, sessions, boards or streams, with its breaker. */
interface Guarded {
  readonly provider: { readonly name: string }
  readonly breaker: BreakerStatus['state']
}

export class ManagerReport {
  readonly #node: CacheNode
  readonly #watch: StoreWatch
  readonly #tallies: StoreTallies
  readonly #made: () => MadeSoFar
  readonly #options: ResolvedManagerOptions
  #fleet: FleetCalls | undefined

  constructor(options: ResolvedManagerOptions, node: CacheNode, made: () => MadeSoFar) {
    this.#options = options
    this.#node = node
    this.#watch = watchStores(options, node)
    this.#tallies = new StoreTallies(node.events)
    this.#made = made
  }

  status(maxStalenessMs: number): ManagerStatus {
    return statusOf(this.#parts(maxStalenessMs))
  }

  health(maxStalenessMs: number): ManagerHealth {
    return healthOf(this.status(maxStalenessMs))
  }

  /** @throws as `untilReady` */
  untilReady(maxStalenessMs: number, timeoutMs: number): Promise<void> {
    return untilReady(this.#parts(maxStalenessMs), timeoutMs)
  }

  /** Its end of the fleet statistics, made at the first call. @throws InvalidOptionError where no store keeps heartbeats */
  fleet(maxStalenessMs: number): FleetCalls {
    const health = (): ManagerHealth => this.health(maxStalenessMs)
    this.#fleet ??= createFleet(this.#options, this.#node, health)
    return this.#fleet
  }

  /** Leaves the fleet. Never rejects. */
  async leave(): Promise<void> {
    await this.#fleet?.close()
  }

  close(): void {
    this.#watch.close()
  }

  #parts(maxStalenessMs: number): StatusParts {
    const { namespace, remote, coherence, clock } = this.#node
    return {
      namespace,
      remote,
      coherence,
      watch: this.#watch,
      tallies: this.#tallies,
      breakers: () => this.#breakers(),
      clock,
      maxStalenessMs,
      isClosed: () => this.#node.isClosed,
    }
  }

  #breakers(): readonly BreakerStatus[] {
    const { locks, limits, sessions, boards, streams } = this.#made()
    return [
      ...(locks?.[INTERNALS].stores ?? []).map((store) => breakerOf('locks', store)),
      ...(limits?.stores ?? []).map((store) => breakerOf('limits', store)),
      ...(sessions === undefined ? [] : [breakerOf('sessions', sessions)]),
      ...(boards === undefined ? [] : [breakerOf('boards', boards)]),
      ...(streams === undefined ? [] : [breakerOf('streams', streams)]),
    ]
  }
}

function breakerOf(use: BreakerStatus['use'], { provider, breaker }: Guarded): BreakerStatus {
  return { use, provider: provider.name, state: breaker }
}
