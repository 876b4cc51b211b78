/** Event stores: streams of events that only grow, each with the order in which its events were appended. */

import { createHash, randomBytes } from 'node:crypto'
import {
  type CacheManager,
  ClosedError,
  EventConflictError,
  EventStoreUnavailableError,
  InvalidOptionError,
} from '@larder/core'
import {
  assertFunction,
  assertInteger,
  type EventPlace,
  type EventStoreParts,
  type EventStoreProvider,
  INTERNALS,
  type NewEvent,
} from '@larder/core/store'
import { type Fold, type Folded, foldStream } from './event-fold.ts'
import {
  type AppendOptions,
  type EventStoreOptions,
  nameOf,
  type ProjectOptions,
  type ReadAllOptions,
  type ReadEventsOptions,
  type ResolvedEventStoreOptions,
  resolveAppendOptions,
  resolveEventStoreOptions,
  resolveProjectOptions,
  resolveReadAllOptions,
  resolveReadOptions,
  streamOf,
} from './event-store-options.ts'
import { EventValues, type StoredEvent } from './event-values.ts'
import { Projection } from './projection.ts'
import type { EventHandler } from './projection-parts.ts'

/** What came of an append. */
export interface Appended {
  /** The last version of the stream after it; of a repeated one, what the first one was told. */
  readonly version: number
  /** The same `id` had been appended already, and nothing was added. */
  readonly isDuplicate: boolean
}

const LOST_WHILE_READ = 'The store has lost events while they were read'
const MARK_BYTES = 9
const MOST_EVENTS = 1_000
const MOST_BYTES = 16 * 1_024 * 1_024
const PAGE = { count: 200, bytes: 1_024 * 1_024 }

/**
 * Creates an event store that is kept in the store of a manager: the remote one, or without one in this process.
 *
 * It is as durable as the server: one without an append-only file, or one that drops keys for room, loses events. See the guide.
 *
 * @throws InvalidOptionError when an option is unknown or wrong, or when no store of the manager keeps events; ClosedError
 * @example
 * const accounts = createEventStore(caches, { name: 'accounts', schema: AccountEvent })
 * const { version } = await accounts.append('acc-1', [{ type: 'opened' }], { expected: 'none' })
 * for await (const { data } of accounts.read('acc-1')) console.log(data)
 */
export function createEventStore<Input = unknown, Output = Input>(
  caches: CacheManager,
  options: EventStoreOptions<Input, Output>,
): EventStore<Input, Output> {
  return new EventStore(partsOf(caches), resolveEventStoreOptions(options))
}

export class EventStore<Input, Output> {
  readonly #parts: EventStoreParts
  readonly #options: ResolvedEventStoreOptions
  readonly #values: EventValues
  readonly #projections = new Set<Projection<Output>>()
  #declared: Promise<void> | undefined

  /** Use `createEventStore`. */
  constructor(parts: EventStoreParts, options: ResolvedEventStoreOptions) {
    this.#parts = parts
    this.#options = options
    this.#values = new EventValues(parts.values, options)
  }

  /**
   * Appends events to a stream, all or none: at most 1 000, of 16 MiB together. Of none, the version is compared all the same.
   *
   * @throws EventConflictError when the stream is at another version than expected; MessageInvalidError; ValueError for what would not come
   *   back unchanged; InvalidOptionError; EventStoreUnavailableError, when it may have been made or not: repeat it with the same `id`
   */
  async append(
    stream: string,
    events: readonly Input[],
    options: AppendOptions = {},
  ): Promise<Appended> {
    const name = streamOf(stream, 'eventStore.append.stream')
    const { expected, id } = resolveAppendOptions(options)
    const sealed = await this.#sealed(name, events)
    await this.#declare()
    const place = this.#placeOf(name)
    const { isDurable, idMs } = this.#options
    const mark = randomBytes(MARK_BYTES).toString('base64url')
    const append = { stream: name, expected, events: sealed, id, idMs, mark, isDurable }
    const reply = await this.#ask('append', (provider) => provider.append(place, append))
    const { outcome, version } = reply
    if (outcome === 'conflict') {
      const { name: store } = this.#options
      throw new EventConflictError({ store, stream: name, expected, found: version })
    }
    for (const each of this.#projections) each.wake(place.partition)
    return { version, isDuplicate: outcome === 'duplicate' }
  }

  /**
   * Reads a stream, in pages. Events that are appended meanwhile are read as well.
   *
   * @throws InvalidOptionError at once; while it is read MessageInvalidError, what `upcast` throws, and EventStoreUnavailableError
   */
  read(
    stream: string,
    options: ReadEventsOptions = {},
  ): AsyncGenerator<StoredEvent<Output>, void, undefined> {
    const name = streamOf(stream, 'eventStore.read.stream')
    return this.#read(name, resolveReadOptions(options))
  }

  /**
   * Reads all events of one partition in their order, or of all partitions, one after the other.
   *
   * @throws as `read`
   */
  readAll(options: ReadAllOptions = {}): AsyncGenerator<StoredEvent<Output>, void, undefined> {
    return this.#readAll(resolveReadAllOptions(options, this.#options.partitions))
  }

  /**
   * Puts the events of a stream together to a state, from the last snapshot on where there is one. `version` is 0 when the stream has none.
   *
   * @throws as `read`, and what `apply` throws
   */
  fold<State>(stream: string, fold: Fold<State, Output>): Promise<Folded<State>> {
    const name = streamOf(stream, 'eventStore.fold.stream')
    const read = (from: number) => this.read(name, { from })
    return foldStream(fold, { store: this.#options.name, stream: name, read, parts: this.#parts })
  }

  /**
   * Calls a handler with all events, those that are kept and those to come: in order within a partition, at least once. It is kept how far
   * it has come, and of all processes one at a time does it, for each partition. An event whose handler fails is tried again, and
   * holds up those behind it. It runs in the async context (`AsyncLocalStorage`) of this call.
   *
   * @throws InvalidOptionError; ClosedError
   */
  project(
    name: string,
    handler: EventHandler<Output>,
    options: ProjectOptions = {},
  ): Projection<Output> {
    const projection = nameOf(name, 'eventStore.project.name')
    assertFunction(handler, 'eventStore.project.handler')
    const resolved = resolveProjectOptions(options)
    const { store, namespace } = this.#parts
    if (store.isClosed) throw new ClosedError(namespace, 'eventStore.project')
    const made = new Projection<Output>({
      name: projection,
      handler,
      options: resolved,
      store: this.#options,
      parts: this.#parts,
      declare: () => this.#declare(),
      open: (event, partition) => this.#values.open<Output>(event, partition),
      onEnd: () => this.#projections.delete(made),
    })
    this.#projections.add(made)
    return made
  }

  async *#read(
    stream: string,
    { from, to, isBackwards, limit }: ReturnType<typeof resolveReadOptions>,
  ): AsyncGenerator<StoredEvent<Output>, void, undefined> {
    await this.#declare()
    const place = this.#placeOf(stream)
    let [low, high, left] = [from, to, limit]
    while (left > 0 && low <= high) {
      const range = { ...PAGE, count: Math.min(left, PAGE.count), from: low, to: high, isBackwards }
      const page = await this.#ask('read', (provider) => provider.read(place, stream, range))
      if (page.length === 0) return
      for (const event of page) yield await this.#values.open<Output>(event, place.partition)
      left -= page.length
      const { version } = page.at(-1) ?? { version: 0 }
      if (isBackwards) high = version - 1
      else low = version + 1
    }
  }

  async *#readAll({
    from,
    after,
  }: ReturnType<typeof resolveReadAllOptions>): AsyncGenerator<
    StoredEvent<Output>,
    void,
    undefined
  > {
    await this.#declare()
    for (const partition of from) {
      const place = { store: this.#options.name, partition }
      for (let [position, mark] = [after, '']; ; ) {
        const range = { ...PAGE, after: position, mark }
        const page = await this.#ask('readLog', (provider) => provider.readLog(place, range))
        if (!page.isContinued) throw new EventStoreUnavailableError(new Error(LOST_WHILE_READ))
        for (const event of page.events) yield await this.#values.open<Output>(event, partition)
        if (page.until === position) break
        position = page.until
        mark = page.mark
      }
    }
  }

  async #sealed(stream: string, events: readonly Input[]): Promise<readonly NewEvent[]> {
    const option = 'eventStore.append.events'
    if (!Array.isArray(events))
      throw new InvalidOptionError({ option, expected: 'a list of events', received: events })
    assertInteger(events.length, `${option}.length`, { min: 0, max: MOST_EVENTS })
    // All of them now: what the caller changes after the call must be neither appended nor unchecked.
    const sealing = events.map((event, i) => this.#values.seal(stream, event, `${option}[${i}]`))
    for (const each of sealing) each.catch(() => undefined)
    const sealed: NewEvent[] = []
    let bytes = 0
    for (const each of sealing) {
      const made = await each
      sealed.push(made)
      bytes += made.bytes.length
    }
    if (bytes <= MOST_BYTES) return sealed
    const expected = `events of at most ${MOST_BYTES} bytes together, as encoded`
    const described = `${bytes} bytes`
    throw new InvalidOptionError({ option, expected, received: undefined, described })
  }

  /** Events of one stream would be looked for in another partition if the number of partitions changed. */
  #declare(): Promise<void> {
    this.#declared ??= this.#assertPartitions().catch((error: unknown) => {
      this.#declared = undefined
      throw error
    })
    return this.#declared
  }

  async #assertPartitions(): Promise<void> {
    const { name, partitions } = this.#options
    const kept = await this.#ask('partitions', (provider) => provider.partitions(name, partitions))
    if (kept === partitions) return
    throw new InvalidOptionError({
      option: 'createEventStore.partitions',
      expected: `${kept}, with which the event store ${name} was begun`,
      received: partitions,
    })
  }

  #placeOf(stream: string): EventPlace {
    const { name, partitions } = this.#options
    const hash = createHash('sha1').update(stream).digest().readUInt32BE(0)
    return { store: name, partition: hash % partitions }
  }

  #ask<Reply>(
    operation: string,
    call: (provider: EventStoreProvider) => Promise<Reply>,
  ): Promise<Reply> {
    const { store, namespace } = this.#parts
    if (store.isClosed) throw new ClosedError(namespace, `eventStore.${operation}`)
    return store.ask(operation, this.#options.timeoutMs, call)
  }
}

/** What a manager offers for event stores. @throws InvalidOptionError, also where no store keeps events; ClosedError */
function partsOf(caches: CacheManager): EventStoreParts {
  if (typeof caches?.[INTERNALS]?.eventStore === 'function') return caches[INTERNALS].eventStore()
  const expected = 'a manager of createCacheManager'
  const option = 'createEventStore.caches'
  throw new InvalidOptionError({ option, expected, received: caches })
}
