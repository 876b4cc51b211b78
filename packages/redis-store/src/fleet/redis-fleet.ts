/** Heartbeats of nodes on Redis: two keys for a namespace, of one slot; one command for each heartbeat. */

import {
  type FleetCapabilities,
  type FleetProvider,
  type Heartbeat,
  type KeptHeartbeats,
  LONGEST_HEARTBEAT_MS,
  MOST_NODES,
} from '@larder/core/store'
import type { Backend } from '../backend.ts'
import { refused } from '../connection/refusal.ts'
import { fleetKeys } from '../key-layout.ts'
import { readHeartbeats } from './read-heartbeats.ts'

const US_PER_MS = 1_000

export interface RedisFleetParts {
  readonly backend: Backend
  /** What a test says the server's clock is, µs. */
  readonly nowUs?: (() => number) | undefined
}

export class RedisFleet implements FleetProvider {
  readonly name = 'redis'
  readonly capabilities: FleetCapabilities = { shared: true }
  readonly #parts: RedisFleetParts
  #namespace: string | undefined

  constructor(parts: RedisFleetParts) {
    this.#parts = parts
  }

  open(namespace: string): void {
    this.#namespace ??= namespace
    this.#parts.backend.open(namespace, 'fleet')
  }

  async beat({ node, report, livesMs }: Heartbeat): Promise<boolean> {
    const clock = this.#parts.nowUs?.() ?? ''
    const [isKept] = await this.#parts.backend.run({
      script: 'fleetBeat',
      keys: this.#keys,
      args: [clock, node, livesMs, LONGEST_HEARTBEAT_MS, MOST_NODES, report],
    })
    return isKept === 1
  }

  async leave(node: string): Promise<void> {
    await this.#parts.backend.run({ script: 'fleetLeave', keys: this.#keys, args: [node] })
  }

  async list(): Promise<KeptHeartbeats> {
    const client = await this.#parts.backend.connected('fleet.list')
    try {
      const nowUs = this.#parts.nowUs?.()
      const clockMs = nowUs === undefined ? undefined : Math.floor(nowUs / US_PER_MS)
      return await readHeartbeats(client, this.#opened, clockMs)
    } catch (error) {
      throw refused('fleet.list', error)
    }
  }

  /** The connection is the store's. */
  async close(): Promise<void> {}

  get #opened(): string {
    if (this.#namespace === undefined) throw new Error('The Redis fleet is not open')
    return this.#namespace
  }

  get #keys(): readonly string[] {
    const { ends, heartbeats } = fleetKeys(this.#opened)
    return [ends, heartbeats]
  }
}
