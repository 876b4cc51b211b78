/** Event stores within this process, with the semantics of the shared ones. */

import {
  assertFunction,
  assertKnownOptions,
  type EventAppend,
  type EventAppendReply,
  type EventLogPage,
  type EventLogRange,
  type EventPlace,
  type EventRange,
  type EventStoreCapabilities,
  type EventStoreProvider,
  type KeptEvent,
  optionNames,
  type ProjectionClaim,
  type ProjectionSave,
  type ProjectionTurn,
} from '@larder/core/store'
import { processTables } from '../process-tables.ts'
import { PartitionEvents } from './partition-events.ts'

export interface LocalEventStoreOptions {
  /** Source of time, ms since the epoch; for tests. Event stores with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

const NAMES = optionNames<LocalEventStoreOptions>({ now: true })

/** What a namespace has, and who uses it; dropped with the last one. */
interface SharedEvents {
  /** How many partitions each event store has. */
  readonly counts: Map<string, number>
  readonly partitions: Map<string, PartitionEvents>
  readonly users: Set<object>
}

const shared = processTables<SharedEvents>('events')

/**
 * Creates a provider that keeps events in this process only, for all managers of one namespace together: for development and tests. They
 * end with the process, and no other process knows them. `lruStore` has one already.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', eventStore: localEventStore() })
 */
export function localEventStore(options: LocalEventStoreOptions = {}): EventStoreProvider {
  assertKnownOptions(options, NAMES, 'localEventStore')
  if (options.now !== undefined) assertFunction(options.now, 'localEventStore.now')
  return new LocalEventStore(options.now)
}

class LocalEventStore implements EventStoreProvider {
  readonly name = 'local'
  readonly capabilities: EventStoreCapabilities = { shared: false }
  readonly #clock: (() => number) | undefined
  #namespace: string | undefined
  #joined: SharedEvents | undefined

  constructor(clock: (() => number) | undefined) {
    this.#clock = clock
  }

  open(namespace: string): void {
    if (this.#joined !== undefined) return
    this.#namespace = this.#clock === undefined ? namespace : undefined
    const known = this.#namespace === undefined ? undefined : shared.get(this.#namespace)
    this.#joined = known ?? { counts: new Map(), partitions: new Map(), users: new Set() }
    this.#joined.users.add(this)
    if (this.#namespace !== undefined) shared.set(this.#namespace, this.#joined)
  }

  async partitions(store: string, wanted: number): Promise<number> {
    const { counts } = this.#opened
    const kept = counts.get(store) ?? wanted
    counts.set(store, kept)
    return kept
  }

  async append(place: EventPlace, append: EventAppend): Promise<EventAppendReply> {
    return this.#partition(place).append(append, this.#now)
  }

  async read(place: EventPlace, stream: string, range: EventRange): Promise<readonly KeptEvent[]> {
    return this.#partition(place).read(stream, range)
  }

  async readLog(place: EventPlace, range: EventLogRange): Promise<EventLogPage> {
    return this.#partition(place).readLog(range)
  }

  async take(place: EventPlace, claim: ProjectionClaim): Promise<ProjectionTurn> {
    return this.#partition(place).take(claim, this.#now)
  }

  async save(place: EventPlace, save: ProjectionSave): Promise<boolean> {
    return this.#partition(place).save(save, this.#now)
  }

  async close(): Promise<void> {
    const joined = this.#joined
    joined?.users.delete(this)
    if (joined?.users.size === 0 && this.#namespace !== undefined) shared.delete(this.#namespace)
  }

  get #now(): number {
    return Math.floor(this.#clock?.() ?? Date.now())
  }

  get #opened(): SharedEvents {
    if (this.#joined === undefined) throw new Error('The local event store is not open')
    return this.#joined
  }

  #partition({ store, partition }: EventPlace): PartitionEvents {
    const { partitions } = this.#opened
    const key = `${store}:${partition}`
    const known = partitions.get(key) ?? new PartitionEvents()
    partitions.set(key, known)
    return known
  }
}
