/** Write-behind queues within this process, with the semantics of the shared ones. */

import {
  assertFunction,
  assertKnownOptions,
  type BuriedWrite,
  type BuryReply,
  type BuryRequest,
  type EnqueueReply,
  type EnqueueRequest,
  optionNames,
  type PostponeRequest,
  type QueueHold,
  type QueueState,
  type ReplayReply,
  type StepReply,
  type TakeReply,
  type TakeRequest,
  type WaitingWrite,
  type WriteCapabilities,
  type WriteProvider,
  type WrittenKey,
} from '@larder/core/store'
import { LocalProvider, madeOnce } from '../local-provider.ts'
import { WriteTable } from './write-table.ts'

export interface LocalWritesOptions {
  /** Source of time, ms since the epoch; for tests. Queues with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

const NAMES = optionNames<LocalWritesOptions>({ now: true })
const US_PER_MS = 1_000

/**
 * Creates a provider that keeps write-behind queues in this process only, for all managers of one namespace together: for development and
 * tests. What waits is lost when the process ends without `close()`. `lruStore` has one already.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', writes: localWrites() })
 */
export function localWrites(options: LocalWritesOptions = {}): WriteProvider {
  assertKnownOptions(options, NAMES, 'localWrites')
  if (options.now !== undefined) assertFunction(options.now, 'localWrites.now')
  return new LocalWrites(options.now)
}

type Queues = Map<string, WriteTable>

class LocalWrites extends LocalProvider<Queues> implements WriteProvider {
  readonly capabilities: WriteCapabilities = { shared: false }
  readonly #clock: (() => number) | undefined

  constructor(clock: (() => number) | undefined) {
    super({ kind: 'writes', isOwn: clock !== undefined, make: () => new Map() })
    this.#clock = clock
  }

  async keepsAll(): Promise<boolean> {
    return true
  }

  async enqueue(queue: string, request: EnqueueRequest): Promise<EnqueueReply> {
    return this.#table(queue).enqueue(request, this.#now)
  }

  async waiting(
    queue: string,
    keys: readonly string[],
  ): Promise<readonly (WaitingWrite | undefined)[]> {
    return keys.map((key) => this.#table(queue).waiting(key))
  }

  async take(queue: string, request: TakeRequest): Promise<TakeReply> {
    return this.#table(queue).take(request, this.#now)
  }

  async renew(queue: string, hold: QueueHold, holdMs: number): Promise<StepReply> {
    return this.#table(queue).renew(hold, holdMs, this.#now)
  }

  async acknowledge(
    queue: string,
    hold: QueueHold,
    written: readonly WrittenKey[],
  ): Promise<StepReply> {
    return this.#table(queue).acknowledge(hold, written, this.#now)
  }

  async postpone(queue: string, hold: QueueHold, request: PostponeRequest): Promise<StepReply> {
    return this.#table(queue).postpone(hold, request, this.#now)
  }

  async bury(queue: string, hold: QueueHold, request: BuryRequest): Promise<BuryReply> {
    return this.#table(queue).bury(hold, request, this.#now)
  }

  async release(queue: string, hold: QueueHold): Promise<void> {
    this.#table(queue).release(hold, this.#now)
  }

  async hurry(queue: string, keys: readonly string[] | undefined): Promise<number> {
    return keys?.length === 0 ? 0 : this.#table(queue).hurry(keys, this.#now)
  }

  async state(queue: string, version: number): Promise<QueueState> {
    return this.#table(queue).state(version, this.#now)
  }

  async buried(queue: string, skip: number, take: number): Promise<readonly BuriedWrite[]> {
    return this.#table(queue).letters.list(skip, take)
  }

  async replay(queue: string, id: string, isForced: boolean): Promise<ReplayReply> {
    const table = this.#table(queue)
    const letter = table.letters.get(id)
    if (letter === undefined) return { kind: 'absent' }
    if (letter.isOutdated && !isForced) return { kind: 'outdated' }
    table.letters.remove(id)
    const version = table.replay(letter.key, letter.parts, this.#now)
    return { kind: 'replayed', key: letter.key, version }
  }

  async discard(queue: string, id: string): Promise<boolean> {
    return this.#table(queue).letters.remove(id) !== undefined
  }

  /** µs. */
  get #now(): number {
    return Math.floor((this.#clock?.() ?? Date.now()) * US_PER_MS)
  }

  #table(queue: string): WriteTable {
    return madeOnce(this.table, queue, () => new WriteTable())
  }
}
