/** Puts writes into a queue: what happens when it is full, or cannot be reached. */

import {
  StoreSetupError,
  StoreUnavailableError,
  WriteNotDurableError,
  WriteQueueFullError,
  WritesPendingError,
  WritesUnavailableError,
} from '@larder/core'
import type { EnqueueReply, NewWrite, WriteKind } from '@larder/core/store'
import { runInFlush } from './current-flush.ts'
import type { Flusher } from './flusher.ts'
import type { QueueStore } from './queue-store.ts'
import { waitUntil } from './wait-until.ts'
import { tooSlow } from './within-time.ts'
import type { WrittenWrite } from './written-write.ts'

/** A write by its key's text. */
export interface NamedWrite {
  readonly key: string
  readonly kind: WriteKind
  readonly value: unknown
}

type Queued = Extract<EnqueueReply, { kind: 'queued' }>

/** How long an answer about what the server does when it is full holds. */
const CHECK_MS = 60_000
const US_PER_MS = 1_000

export class Enqueuer {
  readonly #store: QueueStore
  readonly #flusher: Flusher | undefined
  #checkedAt = Number.NEGATIVE_INFINITY
  #lastVersion = 0

  constructor(store: QueueStore, flusher: Flusher | undefined) {
    this.#store = store
    this.#flusher = flusher
  }

  /** @throws as `WriteQueue.put` */
  async enqueue(writes: readonly NamedWrite[]): Promise<void> {
    const sealed = await Promise.all(writes.map((write) => this.#seal(write)))
    let reply: EnqueueReply
    try {
      await this.#assertKeeps()
      reply = await this.#send(sealed)
    } catch (error) {
      if (!this.#mayWriteThrough(writes, error)) throw error
      return this.#writeThrough(writes)
    }
    const { name, onFull, durable, everyMs, storeTimeoutMs } = this.#store.options
    const queued = reply.kind === 'queued' ? reply : await this.#whenFull(sealed, reply.waiting)
    this.#lastVersion = Math.max(this.#lastVersion, ...queued.versions)
    this.#flusher?.expect(everyMs)
    if (reply.kind === 'full' && onFull === 'write-through')
      await this.#untilWritten(sealed, queued)
    if (durable && !queued.isOnDisk) throw new WriteNotDurableError(name, storeTimeoutMs)
  }

  async #seal({ key, kind, value }: NamedWrite): Promise<NewWrite> {
    return { key, kind, bytes: await this.#store.values.seal(key, kind, value) }
  }

  #send(writes: readonly NewWrite[], isOver = false): Promise<EnqueueReply> {
    const delayMs = isOver ? 0 : this.#store.options.everyMs
    return this.#store.enqueue(writes, { isOver, delayMs })
  }

  /** @throws StoreSetupError */
  async #assertKeeps(): Promise<void> {
    const { allowEviction, name } = this.#store.options
    const now = this.#store.clock.now()
    if (allowEviction || now - this.#checkedAt < CHECK_MS) return
    if ((await this.#store.keepsAll()) === false) {
      throw new StoreSetupError(
        `The server of the queue ${name} drops any key when it is full (maxmemory-policy allkeys-…), and queued writes with it. Use one with noeviction, or set allowEviction.`,
      )
    }
    this.#checkedAt = now
  }

  async #whenFull(writes: readonly NewWrite[], waiting: number): Promise<Queued> {
    const { name, onFull, fullWaitMs } = this.#store.options
    let reply: EnqueueReply = { kind: 'full', waiting }
    if (onFull === 'write-through') reply = await this.#send(writes, true)
    if (onFull === 'wait') {
      const { clock } = this.#store
      await waitUntil(clock, clock.now() + fullWaitMs, async () => {
        void this.#flusher?.run()
        reply = await this.#send(writes)
        return reply.kind === 'queued'
      })
    }
    if (reply.kind === 'full') throw new WriteQueueFullError(name, reply.waiting)
    return reply
  }

  /** @throws WritesPendingError */
  async #untilWritten(writes: readonly NewWrite[], { versions }: Queued): Promise<void> {
    const { clock, options } = this.#store
    const keys = writes.map(({ key }) => key)
    let left = keys.length
    await this.#store.hurry(keys)
    const isDone = await waitUntil(clock, clock.now() + options.fullWaitMs, async () => {
      void this.#flusher?.run()
      const waiting = await this.#store.waiting(keys)
      left = waiting.filter((each, i) => each !== undefined && each.version === versions[i]).length
      return left === 0
    })
    if (!isDone) throw new WritesPendingError(options.name, left, this.#flusher?.lastError)
  }

  /** What may have been queued is not written twice where that would count twice. */
  #mayWriteThrough(writes: readonly NamedWrite[], error: unknown): boolean {
    const { onUnavailable, write } = this.#store.options
    if (onUnavailable !== 'write-through' || write === undefined) return false
    if (error instanceof StoreSetupError || !(error instanceof WritesUnavailableError)) return false
    const isUntried = error.cause instanceof StoreUnavailableError
    return isUntried || writes.every(({ kind }) => kind !== 'merge')
  }

  async #writeThrough(writes: readonly NamedWrite[]): Promise<void> {
    const { options, clock } = this.#store
    const now = (clock.wall?.() ?? Date.now()) * US_PER_MS
    const written = writes.map(({ key, kind, value }): WrittenWrite<unknown> => {
      this.#lastVersion = Math.max(this.#lastVersion + 1, Math.floor(now))
      const facts = { key, version: this.#lastVersion, since: this.#lastVersion }
      return kind === 'delete' ? { ...facts, kind, value: undefined } : { ...facts, kind, value }
    })
    const abort = new AbortController()
    const giveUp = (): void => abort.abort(tooSlow(options.writeTimeoutMs))
    const cancel = clock.schedule(options.writeTimeoutMs, giveUp, 'background')
    const context = { fence: undefined, signal: abort.signal }
    try {
      await runInFlush(context, async () => options.write?.(onePerKey(written), context))
    } finally {
      cancel()
    }
  }
}

/** A writer is given a key once. */
function onePerKey(writes: readonly WrittenWrite<unknown>[]): readonly WrittenWrite<unknown>[] {
  return [...new Map(writes.map((write) => [write.key, write])).values()]
}
