/** How one manager stands: what is watched of its stores, put together when somebody asks, or for the fleet. */

import type { CacheNode } from '../cache/node.ts'
import type { FleetCalls } from '../fleet/fleet-calls.ts'
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

export class ManagerReport {
  readonly #node: CacheNode
  readonly #watch: StoreWatch
  readonly #tallies: StoreTallies
  readonly #breakers: () => readonly BreakerStatus[]
  readonly #options: ResolvedManagerOptions
  #fleet: FleetCalls | undefined

  constructor(
    options: ResolvedManagerOptions,
    node: CacheNode,
    breakers: () => readonly BreakerStatus[],
  ) {
    this.#options = options
    this.#node = node
    this.#watch = watchStores(options, node)
    this.#tallies = new StoreTallies(node.events)
    this.#breakers = breakers
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
      breakers: this.#breakers,
      clock,
      maxStalenessMs,
      isClosed: () => this.#node.isClosed,
    }
  }
}
