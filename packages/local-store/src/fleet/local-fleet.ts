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
import { processTables } from '../process-tables.ts'

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

class LocalFleet implements FleetProvider {
  readonly name = 'local'
  readonly capabilities: FleetCapabilities = { shared: false }
  readonly #clock: Clock | undefined
  readonly #tables: Map<string, FleetTable>
  #namespace: string | undefined

  constructor(clock: Clock | undefined) {
    this.#clock = clock
    this.#tables = clock === undefined ? processTables<FleetTable>('fleet') : new Map()
  }

  open(namespace: string): void {
    this.#namespace ??= namespace
  }

  async beat({ node, report, livesMs }: Heartbeat): Promise<boolean> {
    const now = this.#nowMs()
    const table = this.#tables.get(this.#opened) ?? new Map<string, Kept>()
    for (const [id, { endsMs }] of table) if (endsMs <= now) table.delete(id)
    if (!table.has(node) && table.size >= MOST_NODES) return false
    table.set(node, { report, atMs: now, endsMs: now + livesMs })
    this.#tables.set(this.#opened, table)
    return true
  }

  async leave(node: string): Promise<void> {
    const table = this.#tables.get(this.#opened)
    table?.delete(node)
    // A process may have managers of many namespaces, one after the other.
    if (table?.size === 0) this.#tables.delete(this.#opened)
  }

  async list(): Promise<KeptHeartbeats> {
    const nowMs = this.#nowMs()
    const table = this.#tables.get(this.#opened) ?? new Map<string, Kept>()
    const heartbeats = Array.from(table, ([node, { report, atMs, endsMs }]) => ({
      node,
      report,
      ageMs: nowMs - atMs,
      leftMs: endsMs - nowMs,
    }))
    return { nowMs, heartbeats: heartbeats.filter(({ leftMs }) => leftMs > 0) }
  }

  async close(): Promise<void> {}

  get #opened(): string {
    if (this.#namespace === undefined) throw new Error('The local fleet is not open')
    return this.#namespace
  }

  /** The wall clock as it was at the start, and monotonic from then on. */
  #nowMs(): number {
    return Math.floor(this.#clock?.now() ?? performance.timeOrigin + performance.now())
  }
}
