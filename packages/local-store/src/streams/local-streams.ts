/** Streams within this process, with the semantics of the shared ones. */

import {
  type AdditionReply,
  assertFunction,
  assertKnownOptions,
  type DeadLetterEntry,
  optionNames,
  type StreamAddition,
  type StreamCapabilities,
  type StreamEntry,
  type StreamGroup,
  type StreamProvider,
  type StreamRead,
  type StreamReader,
  type StreamRule,
  type StreamSettlement,
  type StreamStatusReply,
  type StreamTake,
  type StreamTaken,
  startTimer,
} from '@larder/core/store'
import { processTables } from '../process-tables.ts'
import { type GroupTable, mark } from './group-table.ts'
import { StreamTable } from './stream-table.ts'

export interface LocalStreamsOptions {
  /** Source of time, ms since the epoch; for tests. Streams with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

const NAMES = optionNames<LocalStreamsOptions>({ now: true })

/** What a namespace has, and who uses it; dropped with the last one. */
interface SharedStreams {
  readonly streams: Map<string, StreamTable>
  readonly users: Set<object>
}

const shared = processTables<SharedStreams>('streams')

/**
 * Creates a provider that keeps streams in this process only, for all managers of one namespace together: for development and tests.
 * Messages end with the process, and no other process sees them. `lruStore` has one already.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', streams: localStreams() })
 */
export function localStreams(options: LocalStreamsOptions = {}): StreamProvider {
  assertKnownOptions(options, NAMES, 'localStreams')
  if (options.now !== undefined) assertFunction(options.now, 'localStreams.now')
  return new LocalStreams(options.now)
}

class LocalStreams implements StreamProvider {
  readonly name = 'local'
  readonly capabilities: StreamCapabilities = { shared: false }
  readonly #clock: (() => number) | undefined
  #namespace: string | undefined
  #joined: SharedStreams | undefined

  constructor(clock: (() => number) | undefined) {
    this.#clock = clock
  }

  open(namespace: string): void {
    if (this.#joined !== undefined) return
    this.#namespace = this.#clock === undefined ? namespace : undefined
    const known = this.#namespace === undefined ? undefined : shared.get(this.#namespace)
    this.#joined = known ?? { streams: new Map(), users: new Set() }
    this.#joined.users.add(this)
    if (this.#namespace !== undefined) shared.set(this.#namespace, this.#joined)
  }

  async add(
    rule: StreamRule,
    messages: readonly StreamAddition[],
  ): Promise<readonly AdditionReply[]> {
    return this.#stream(rule.stream).add(rule, messages, this.#now)
  }

  async join({ stream, group }: StreamGroup, from: 'start' | 'new'): Promise<boolean> {
    return this.#stream(stream).join(group, from)
  }

  reader(): StreamReader {
    return new LocalReader(
      (stream) => this.#stream(stream),
      () => this.#now,
    )
  }

  async take(group: StreamGroup, take: StreamTake): Promise<StreamTaken | 'absent'> {
    return this.#group(group)?.take(take, this.#now) ?? 'absent'
  }

  async keep(
    group: StreamGroup,
    consumer: string,
    entries: readonly string[],
  ): Promise<readonly string[]> {
    return this.#group(group)?.keep(consumer, entries, this.#now) ?? entries
  }

  async settle(
    group: StreamGroup,
    consumer: string,
    settlement: StreamSettlement,
  ): Promise<boolean> {
    if (settlement.kind === 'done' && settlement.mark !== undefined) {
      const { id, forMs } = settlement.mark
      mark(this.#stream(group.stream).remainsOf(group.group), id, this.#now + forMs)
    }
    return this.#group(group)?.settle(consumer, settlement, this.#now) ?? false
  }

  async marked(
    { stream, group }: StreamGroup,
    ids: readonly string[],
  ): Promise<readonly boolean[]> {
    const { marks } = this.#stream(stream).remainsOf(group)
    return ids.map((id) => (marks.get(id) ?? 0) > this.#now)
  }

  async deadLetters(
    { stream, group }: StreamGroup,
    after: string | undefined,
    count: number,
  ): Promise<readonly DeadLetterEntry[]> {
    return this.#stream(stream).deadLetters(group, after, count)
  }

  async replay({ stream, group }: StreamGroup, letter: string): Promise<string | undefined> {
    return this.#stream(stream).replay(group, letter, this.#now)
  }

  async discard({ stream, group }: StreamGroup, letter: string): Promise<boolean> {
    return this.#stream(stream).remainsOf(group).dead.delete(letter)
  }

  async forget(
    group: StreamGroup,
    who: { readonly consumer: string } | { readonly silentMs: number },
  ): Promise<number> {
    return this.#group(group)?.forget(who, this.#now) ?? 0
  }

  async status({ stream, group }: StreamGroup): Promise<StreamStatusReply> {
    return this.#stream(stream).status(group)
  }

  async close(): Promise<void> {
    const joined = this.#joined
    joined?.users.delete(this)
    if (joined?.users.size === 0 && this.#namespace !== undefined) shared.delete(this.#namespace)
  }

  get #now(): number {
    return Math.floor(this.#clock?.() ?? Date.now())
  }

  #stream(stream: string): StreamTable {
    if (this.#joined === undefined) throw new Error('The local streams are not open')
    const { streams } = this.#joined
    const known = streams.get(stream)
    if (known !== undefined) return known
    const made = new StreamTable()
    streams.set(stream, made)
    return made
  }

  #group({ stream, group }: StreamGroup): GroupTable | undefined {
    return this.#stream(stream).group(group)
  }
}

class LocalReader implements StreamReader {
  readonly #stream: (stream: string) => StreamTable
  readonly #now: () => number
  #stop: () => void = () => undefined

  constructor(stream: (stream: string) => StreamTable, now: () => number) {
    this.#stream = stream
    this.#now = now
  }

  async read(
    { stream, group }: StreamGroup,
    { consumer, count, waitMs }: StreamRead,
  ): Promise<readonly StreamEntry[] | 'absent'> {
    const table = this.#stream(stream)
    const look = () => table.group(group)?.read({ consumer, count }, this.#now())
    const found = look()
    if (found === undefined) return 'absent'
    if (found.length > 0) return found
    await this.#added(table, waitMs)
    return look() ?? 'absent'
  }

  async close(): Promise<void> {
    this.#stop()
  }

  #added(table: StreamTable, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel()
        takeBack()
        resolve()
      }
      const cancel = startTimer(waitMs, end, 'caller')
      const takeBack = table.onAdded(end)
      this.#stop = end
    })
  }
}
