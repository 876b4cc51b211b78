/** Heartbeats of nodes on Redis: two keys for a namespace, of one slot; one command for each heartbeat. */

import {
  type FleetCapabilities,
  type FleetProvider,
  type Heartbeat,
  type KeptHeartbeats,
  LONGEST_HEARTBEAT_MS,
  MOST_NODES,
} from '@larder/core/store'
import { type BackedParts, BackedProvider } from '../backed-provider.ts'
import { refused } from '../connection/refusal.ts'
import { fleetKeys } from '../key-layout.ts'
import { readHeartbeats } from './read-heartbeats.ts'

const US_PER_MS = 1_000

export class RedisFleet extends BackedProvider implements FleetProvider {
  readonly capabilities: FleetCapabilities = { shared: true }
  readonly #nowUs: (() => number) | undefined

  constructor(parts: BackedParts) {
    super(parts, 'fleet')
    this.#nowUs = parts.nowUs
  }

  async beat({ node, report, livesMs }: Heartbeat): Promise<boolean> {
    const [isKept] = await this.run({
      script: 'fleetBeat',
      keys: this.#keys,
      args: [this.now, node, livesMs, LONGEST_HEARTBEAT_MS, MOST_NODES, report],
    })
    return isKept === 1
  }

  async leave(node: string): Promise<void> {
    await this.run({ script: 'fleetLeave', keys: this.#keys, args: [node] })
  }

  async list(): Promise<KeptHeartbeats> {
    const client = await this.backend.connected('fleet.list')
    try {
      const nowUs = this.#nowUs?.()
      const clockMs = nowUs === undefined ? undefined : Math.floor(nowUs / US_PER_MS)
      return await readHeartbeats(client, this.namespace, clockMs)
    } catch (error) {
      throw refused('fleet.list', error)
    }
  }

  get #keys(): readonly string[] {
    const { ends, heartbeats } = fleetKeys(this.namespace)
    return [ends, heartbeats]
  }
}
