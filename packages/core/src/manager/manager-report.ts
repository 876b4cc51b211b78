/** How one manager stands: what is watched of its stores, put together when somebody asks. */

import type { CacheNode } from '../cache/node.ts'
import { INTERNALS } from '../contracts/internals.ts'
import type { Limits } from '../limits/limits.ts'
import type { Locks } from '../locks/locks.ts'
import type { SessionStore } from '../sessions/session-store.ts'
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

/** What a manager has made so far: locks, limits and sessions are made at their first use. */
export interface MadeSoFar {
  readonly locks: Locks | undefined
  readonly limits: Limits | undefined
  readonly sessions: SessionStore | undefined
}

/** A store of locks, limits or sessions, with its breaker. */
interface Guarded {
  readonly provider: { readonly name: string }
  readonly breaker: BreakerStatus['state']
}

export class ManagerReport {
  readonly #node: CacheNode
  readonly #watch: StoreWatch
  readonly #tallies: StoreTallies
  readonly #made: () => MadeSoFar

  constructor(options: ResolvedManagerOptions, node: CacheNode, made: () => MadeSoFar) {
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
    const { locks, limits, sessions } = this.#made()
    return [
      ...(locks?.[INTERNALS].stores ?? []).map((store) => breakerOf('locks', store)),
      ...(limits?.stores ?? []).map((store) => breakerOf('limits', store)),
      ...(sessions === undefined ? [] : [breakerOf('sessions', sessions)]),
    ]
  }
}

function breakerOf(use: BreakerStatus['use'], { provider, breaker }: Guarded): BreakerStatus {
  return { use, provider: provider.name, state: breaker }
}
