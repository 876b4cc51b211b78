/** Heartbeats of the managers of this process, with the semantics of the shared ones. */

import {
  assertClock,
  assertKnownOptions,
  type Clock,
  type FleetCapabilities,
  type FleetProvider,
  type Heartbeat,
  type KeptHeartbeats,
  MOST_NODES,
  optionNames,
} from '@larder/core/store'
import { LocalProvider } from '../local-provider.ts'

export interface LocalFleetOptions {
  /** Source of time; for tests. Heartbeats with their own clock are seen by the manager of this provider only. */
  readonly clock?: Clock | undefined
}

interface Kept {
  readonly report: string
  readonly atMs: number
  readonly endsMs: number
}

type FleetTable = Map<string, Kept>

const NAMES = optionNames<LocalFleetOptions>({ clock: true })

/**
 * Creates a fleet provider for the managers of this process: those of one namespace see each other. `lruStore` has one already.
 *
 * @throws InvalidOptionError
 */
export function localFleet(options: LocalFleetOptions = {}): FleetProvider {
  assertKnownOptions(options, NAMES, 'localFleet')
  if (options.clock !== undefined) assertClock(options.clock, 'localFleet.clock')
  return new LocalFleet(options.clock)
}

class LocalFleet extends LocalProvider<FleetTable> implements FleetProvider {
  readonly capabilities: FleetCapabilities = { shared: false }
  readonly #clock: Clock | undefined

  constructor(clock: Clock | undefined) {
    super({ kind: 'fleet', isOwn: clock !== undefined, make: () => new Map() })
    this.#clock = clock
  }

  async beat({ node, report, livesMs }: Heartbeat): Promise<boolean> {
    const now = this.#nowMs()
    const { table } = this
    for (const [id, { endsMs }] of table) if (endsMs <= now) table.delete(id)
    if (!table.has(node) && table.size >= MOST_NODES) return false
    table.set(node, { report, atMs: now, endsMs: now + livesMs })
    return true
  }

  async leave(node: string): Promise<void> {
    this.table.delete(node)
  }

  async list(): Promise<KeptHeartbeats> {
    const nowMs = this.#nowMs()
    const heartbeats = Array.from(this.table, ([node, { report, atMs, endsMs }]) => ({
      node,
      report,
      ageMs: nowMs - atMs,
      leftMs: endsMs - nowMs,
    }))
    return { nowMs, heartbeats: heartbeats.filter(({ leftMs }) => leftMs > 0) }
  }

  /** The wall clock as it was at the start, and monotonic from then on. */
  #nowMs(): number {
    return Math.floor(this.#clock?.now() ?? performance.timeOrigin + performance.now())
  }
}
