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
  type ProjectionSaved,
  type ProjectionTurn,
} from '@larder/core/store'
import { LocalProvider, madeOnce } from '../local-provider.ts'
import { PartitionEvents } from './partition-events.ts'

export interface LocalEventStoreOptions {
  /** Source of time, ms since the epoch; for tests. Event stores with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

const NAMES = optionNames<LocalEventStoreOptions>({ now: true })

/** What a namespace has. */
class Tables {
  /** How many partitions each event store has. */
  readonly counts = new Map<string, number>()
  readonly partitions = new Map<string, PartitionEvents>()

  clear(): void {
    this.counts.clear()
    this.partitions.clear()
  }
}

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

class LocalEventStore extends LocalProvider<Tables> implements EventStoreProvider {
  readonly capabilities: EventStoreCapabilities = { shared: false }
  readonly #clock: (() => number) | undefined

  constructor(clock: (() => number) | undefined) {
    super({ kind: 'events', isOwn: clock !== undefined, make: () => new Tables() })
    this.#clock = clock
  }

  async partitions(store: string, wanted: number): Promise<number> {
    const { counts } = this.table
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

  async save(place: EventPlace, save: ProjectionSave): Promise<ProjectionSaved> {
    return this.#partition(place).save(save, this.#now)
  }

  get #now(): number {
    return Math.floor(this.#clock?.() ?? Date.now())
  }

  #partition({ store, partition }: EventPlace): PartitionEvents {
    const key = `${store}:${partition}`
    return madeOnce(this.table.partitions, key, () => new PartitionEvents())
  }
}
