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
import { LocalProvider, madeOnce } from '../local-provider.ts'
import { type GroupTable, mark } from './group-table.ts'
import { StreamTable } from './stream-table.ts'

export interface LocalStreamsOptions {
  /** Source of time, ms since the epoch; for tests. Streams with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

const NAMES = optionNames<LocalStreamsOptions>({ now: true })

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

class LocalStreams extends LocalProvider<Map<string, StreamTable>> implements StreamProvider {
  readonly capabilities: StreamCapabilities = { shared: false }
  readonly #clock: (() => number) | undefined

  constructor(clock: (() => number) | undefined) {
    super({ kind: 'streams', isOwn: clock !== undefined, make: () => new Map() })
    this.#clock = clock
  }

  async add(
    rule: StreamRule,
    messages: readonly StreamAddition[],
  ): Promise<readonly AdditionReply[]> {
    return this.#stream(rule.stream).add(rule, messages, this.#now)
  }

  async makeGroup({ stream, group }: StreamGroup, from: 'start' | 'new'): Promise<boolean> {
    return this.#stream(stream).makeGroup(group, from)
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

  async leave(group: StreamGroup, consumer: string): Promise<void> {
    this.#group(group)?.leave(consumer, this.#now)
  }

  async status({ stream, group }: StreamGroup): Promise<StreamStatusReply> {
    return this.#stream(stream).status(group)
  }

  get #now(): number {
    return Math.floor(this.#clock?.() ?? Date.now())
  }

  #stream(stream: string): StreamTable {
    return madeOnce(this.table, stream, () => new StreamTable())
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
