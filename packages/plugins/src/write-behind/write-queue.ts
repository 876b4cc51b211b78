/** A write-behind queue as its users see it. */

import {
  type CacheManager,
  ClosedError,
  type Duration,
  type Key,
  WriteOutdatedError,
  WritesPendingError,
} from '@larder/core'
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownOptions,
  keepContext,
  optionNames,
  parseDuration,
  type WriteKind,
  type WriteParts,
} from '@larder/core/store'
import { CachedWrites } from './cached-writes.ts'
import { letterOf } from './dead-letters.ts'
import { Enqueuer } from './enqueuer.ts'
import { Flusher } from './flusher.ts'
import { KeyTurns } from './key-turns.ts'
import type { ResolvedQueue } from './queue-options.ts'
import { QueueStore } from './queue-store.ts'
import { sealWrites } from './sealed-writes.ts'
import { waitUntil } from './wait-until.ts'
import type { DeadLetter } from './written-write.ts'

export interface WriteQueueParts {
  readonly caches: CacheManager
  readonly parts: WriteParts
  readonly options: ResolvedQueue
  /** How messages name it. */
  readonly where: string
}

/** How a queue stands. */
export interface PendingWrites {
  /** Writes that wait. Above `keys` only where changes wait to be merged. */
  readonly writes: number
  readonly keys: number
  readonly deadLetters: number
  /** How long the oldest write has waited, ms; 0 where none waits. */
  readonly oldestMs: number
}

export interface FlushOptions {
  /** How long it may take. 1 ms to 1 h. @default '10s' */
  readonly timeout?: Duration | undefined
}

const FLUSH_NAMES = optionNames<FlushOptions>({ timeout: true })
const FLUSH_TIMEOUT = '10s'
const HOUR_MS = 3_600_000
const MOST_LETTERS = 1_000

export class WriteQueue<Value = unknown> {
  readonly name: string
  readonly #store: QueueStore
  readonly #cached: CachedWrites
  readonly #enqueuer: Enqueuer
  /** Absent where others write. */
  readonly #flusher: Flusher | undefined
  readonly #runOutsideUnits: WriteParts['runOutsideUnits']
  readonly #turns = new KeyTurns()
  #isClosing = false

  /** Use `createWriteBehind`. */
  constructor({ caches, parts, options, where }: WriteQueueParts) {
    this.name = options.name
    const store = new QueueStore(parts, options, where)
    const cached = new CachedWrites(caches, options.cache)
    this.#store = store
    this.#runOutsideUnits = parts.runOutsideUnits
    this.#cached = cached
    if (options.write !== undefined) {
      const onBuried = (key: string): Promise<void> => this.#buried(key)
      this.#flusher = new Flusher({ store, context: keepContext(), onBuried })
    }
    if (this.#flusher !== undefined)
      parts.flushers.set(options.name, () => void this.#flusher?.run())
    this.#enqueuer = new Enqueuer(store, this.#flusher)
    parts.store.beforeClose(() => this.#end())
  }

  /**
   * Queues a value, in the place of what waits under its key. Resolves when the store has it, and not when it is written.
   *
   * @throws WriteQueueFullError; WritesUnavailableError, after which it may be queued or not; WriteNotDurableError; KeyError; ValueError;
   *   InvalidOptionError for `undefined`; ClosedError
   */
  async put(key: Key, value: Value): Promise<void> {
    await this.#queue([[key, 'value', value]], 'put')
  }

  /** Queues many values in one step: all of them or none. At most 1000. @throws as `put` */
  async putMany(values: Iterable<readonly [key: Key, value: Value]>): Promise<void> {
    const all = Array.from(values, ([key, value]) => [key, 'value', value] as const)
    if (all.length === 0) return
    assertInteger(all.length, 'writeBehind.putMany.values.length', { min: 1, max: 1_000 })
    await this.#queue(all, 'putMany')
  }

  /** Queues that a key is gone. @throws as `put` */
  async delete(key: Key): Promise<void> {
    await this.#queue([[key, 'delete', undefined]], 'delete')
  }

  /**
   * Queues a change, which is merged with what waits under its key, and written as a change where only changes wait.
   *
   * @throws as `put`; InvalidOptionError without the option `merge`
   */
  async merge(key: Key, change: Value): Promise<void> {
    assertFunction(this.#store.options.merge, 'createWriteBehind.merge')
    await this.#queue([[key, 'merge', change]], 'merge')
  }

  /**
   * Writes all that was queued before, on whatever node; also what waits for another attempt. Resolves when it is written, or is a dead letter.
   *
   * @throws WritesPendingError when the time is over; WritesUnavailableError
   */
  async flush(options: FlushOptions = {}): Promise<void> {
    assertKnownOptions(options, FLUSH_NAMES, 'writeBehind.flush')
    const { timeout = FLUSH_TIMEOUT } = options
    const timeoutMs = parseDuration(timeout, 'writeBehind.flush.timeout', { min: 1, max: HOUR_MS })
    await this.#flush(timeoutMs)
  }

  /** Returns how much waits. @throws WritesUnavailableError */
  async pending(): Promise<PendingWrites> {
    const { writes, keys, deadLetters, oldestMs } = await this.#store.state()
    return { writes, keys, deadLetters, oldestMs }
  }

  /** Lists dead letters, the oldest first. @param take 1 to 1000 @throws WritesUnavailableError */
  async deadLetters({
    skip = 0,
    take = 100,
  }: {
    readonly skip?: number
    readonly take?: number
  } = {}): Promise<readonly DeadLetter<Value>[]> {
    assertInteger(skip, 'writeBehind.deadLetters.skip', { min: 0, max: Number.MAX_SAFE_INTEGER })
    assertInteger(take, 'writeBehind.deadLetters.take', { min: 1, max: MOST_LETTERS })
    const buried = await this.#store.buried(skip, take)
    return Promise.all(buried.map((each) => letterOf<Value>(each, this.#store.values)))
  }

  /**
   * Queues a dead letter again, as the newest write of its key.
   *
   * @returns false when there is none with this id
   * @throws WriteOutdatedError when a newer write of its key was queued since, unless `force` says that it is to count all the same
   */
  async replay(id: string, { force = false }: { readonly force?: boolean } = {}): Promise<boolean> {
    assertBoolean(force, 'writeBehind.replay.force')
    const reply = await this.#store.replay(String(id), force)
    if (reply.kind === 'outdated') throw new WriteOutdatedError(this.name, String(id))
    if (reply.kind !== 'replayed') return false
    await this.#cached.buried(reply.key)
    this.#flusher?.expect(0)
    return true
  }

  /** Removes a dead letter; returns false when there is none with this id. */
  async discard(id: string): Promise<boolean> {
    return this.#store.discard(String(id))
  }

  async #queue(
    writes: readonly (readonly [key: Key, kind: WriteKind, value: unknown])[],
    what: string,
  ): Promise<void> {
    const { namespace, isClosed } = this.#store
    if (isClosed || this.#isClosing) throw new ClosedError(namespace, `writeBehind.${what}`)
    // Up to the first await: the caller may change what it gave.
    const sealed = sealWrites(
      this.#store.values,
      writes.map(([key, kind, value]) => ({ key: this.#cached.keyOf(key), kind, value })),
    )
    const keys = writes.map(([key]) => (Array.isArray(key) ? [...key] : key) as Key)
    const cached = sealed.map((write, i) => ({ ...write, key: keys[i] as Key }))
    const turn = this.#turns.take(sealed.map(({ text }) => text))
    try {
      // Enqueued first: a crash in between loses nothing. What a load reads from now on is this.
      await this.#runOutsideUnits(() =>
        this.#cached.around(cached, () => this.#enqueuer.enqueue(sealed, turn)),
      )
    } finally {
      turn.end()
    }
  }

  async #flush(timeoutMs: number): Promise<void> {
    const { clock } = this.#store
    const endsAt = clock.now() + timeoutMs
    const version = await this.#store.hurry()
    let left = 0
    const isDone = await waitUntil(clock, endsAt, async () => {
      // Its end may say that nothing is left; a writer that hangs must not delay the answer.
      void this.#flusher?.run()
      left = (await this.#store.state(version)).upTo
      return left === 0
    })
    if (!isDone) throw new WritesPendingError(this.name, left, this.#flusher?.lastError)
    // What follows from dead letters is done as well. A later batch may hang, and is not waited for.
    const leftMs = Math.max(0, endsAt - clock.now())
    let cancel: (() => void) | undefined
    const patience = new Promise<void>((resolve) => {
      cancel = clock.schedule(leftMs, resolve, 'caller')
    })
    await Promise.race([this.#flusher?.roundOver(), patience])
    cancel?.()
  }

  async #buried(key: string): Promise<void> {
    try {
      await this.#cached.buried(key)
    } catch (error) {
      this.#store.report('evicting what was not written', error)
    }
  }

  async #end(): Promise<void> {
    this.#isClosing = true
    const { drainMs } = this.#store.options
    if (this.#flusher === undefined) return
    this.#flusher.closing()
    if (drainMs > 0) {
      await this.#flush(drainMs).catch((error: unknown) => this.#store.report('closing', error))
    }
    await this.#flusher.stop()
  }
}
