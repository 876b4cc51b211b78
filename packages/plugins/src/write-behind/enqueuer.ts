/** Puts writes into a queue: what happens when it is full, or cannot be reached. */

import {
  StoreSetupError,
  StoreUnavailableError,
  WriteNotDurableError,
  WriteQueueFullError,
  WritesPendingError,
  WritesUnavailableError,
} from '@larder/core'
import type { EnqueueReply, NewWrite } from '@larder/core/store'
import { runInFlush } from './current-flush.ts'
import type { Flusher } from './flusher.ts'
import type { KeyTurn } from './key-turns.ts'
import type { QueueStore } from './queue-store.ts'
import type { SealedWrite } from './sealed-writes.ts'
import { waitUntil } from './wait-until.ts'
import { tooSlow } from './within-time.ts'
import type { WrittenWrite } from './written-write.ts'

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

  /** Ends the turn once they are on their way. @throws as `WriteQueue.put` */
  async enqueue(given: readonly SealedWrite[], turn: KeyTurn): Promise<void> {
    const writes = await Promise.all(given.map(sealed))
    let reply: EnqueueReply
    try {
      await this.#assertKeeps()
      await turn.before
      const sending = this.#send(writes)
      turn.end()
      reply = await sending
    } catch (error) {
      if (!this.#mayWriteThrough(given, error)) throw error
      return this.#writeThrough(given)
    }
    const { name, onFull, durable, everyMs, storeTimeoutMs } = this.#store.options
    const queued = reply.kind === 'queued' ? reply : await this.#whenFull(writes, reply.waiting)
    this.#lastVersion = Math.max(this.#lastVersion, ...queued.versions)
    this.#flusher?.expect(everyMs)
    if (reply.kind === 'full' && onFull === 'write-through')
      await this.#untilWritten(writes, queued)
    if (durable && !queued.isOnDisk) throw new WriteNotDurableError(name, storeTimeoutMs)
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
  #mayWriteThrough(writes: readonly SealedWrite[], error: unknown): boolean {
    const { onUnavailable, write } = this.#store.options
    if (onUnavailable !== 'write-through' || write === undefined) return false
    if (error instanceof StoreSetupError || !(error instanceof WritesUnavailableError)) return false
    const isUntried = error.cause instanceof StoreUnavailableError
    return isUntried || writes.every(({ kind }) => kind !== 'merge')
  }

  async #writeThrough(writes: readonly SealedWrite[]): Promise<void> {
    const { options, clock } = this.#store
    const now = (clock.wall?.() ?? Date.now()) * US_PER_MS
    const values = await Promise.all(writes.map(({ opened }) => opened()))
    const written = writes.map(({ text: key, kind }, i): WrittenWrite<unknown> => {
      const value = values[i]
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

async function sealed({ text: key, kind, bytes }: SealedWrite): Promise<NewWrite> {
  return { key, kind, bytes: await bytes }
}
