/**
 * Where keys come from: a list, or a function that asks a key service, again and again if it is told to.
 *
 * A service that is away must not delay reads, and keys that are there must stay. So a refresh that fails leaves the keys as they
 * are, and is tried again sooner. Before the first keys are there, reads and writes wait for them for a moment, all at the same
 * time. After that they go on without keys: reads are misses, and what is loaded is kept only in this process.
 */

import { EncryptionKeyError } from '@larder/core'
import type { Clock } from '@larder/core/store'
import { type EncryptionKey, type KeyRing, keyRingOf } from './key-ring.ts'

/** Returns the keys; the first one is used for writing. `signal` aborts when nothing waits for the answer any more. */
export type LoadKeys = (context: {
  readonly signal: AbortSignal
}) => Promise<readonly EncryptionKey[]> | readonly EncryptionKey[]

/** Is told when keys came or failed to come. */
export type KeyNews =
  | { readonly state: 'loaded'; readonly ring: KeyRing }
  | { readonly state: 'failed'; readonly error: unknown }

/** How long the first reads and writes of a process wait for the first keys, in all. */
const PATIENCE_MS = 1_000
/** For how long an answer is waited for. */
const ATTEMPT_MS = 10_000
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 30_000

export class KeySource {
  readonly #load: LoadKeys | undefined
  readonly #option: string
  readonly #refreshMs: number | undefined
  readonly #tell: (news: KeyNews) => void
  #ring: KeyRing | undefined
  /** Resolves when the first keys are there, or were waited for long enough. */
  #first: Promise<void> | undefined
  #endWaiting: () => void = () => undefined
  #cancelNext: () => void = () => undefined
  #attempt: AbortController | undefined
  #failures = 0

  /** @throws InvalidOptionError for a list that is not one of keys */
  constructor(
    keys: readonly EncryptionKey[] | LoadKeys,
    { option, refreshMs }: { readonly option: string; readonly refreshMs: number | undefined },
    tell: (news: KeyNews) => void,
  ) {
    this.#option = option
    this.#refreshMs = refreshMs
    this.#tell = tell
    if (typeof keys === 'function') this.#load = keys
    else this.#ring = keyRingOf(keys, option)
  }

  /** The keys; a promise only while the first ones are awaited. @throws EncryptionKeyError (or rejects with it) */
  get ring(): KeyRing | Promise<KeyRing> {
    if (this.#ring !== undefined) return this.#ring
    if (this.#first === undefined) throw noKeys()
    return this.#first.then(() => {
      if (this.#ring === undefined) throw noKeys()
      return this.#ring
    })
  }

  get known(): KeyRing | undefined {
    return this.#ring
  }

  start(clock: Clock): void {
    if (this.#load === undefined) return
    if (this.#ring === undefined) this.#awaitFirst(clock)
    void this.#ask(clock, this.#load)
  }

  stop(): void {
    this.#cancelNext()
    this.#attempt?.abort()
    this.#attempt = undefined
    this.#endWaiting()
  }

  #awaitFirst(clock: Clock): void {
    this.#first = new Promise((resolve) => {
      const cancel = clock.schedule(PATIENCE_MS, () => this.#endWaiting(), 'caller')
      this.#endWaiting = () => {
        cancel()
        // Later calls find keys, or go on without them.
        this.#first = undefined
        this.#endWaiting = () => undefined
        resolve()
      }
    })
  }

  async #ask(clock: Clock, load: LoadKeys): Promise<void> {
    const attempt = new AbortController()
    this.#attempt = attempt
    let cancel: () => void = () => undefined
    try {
      const late = new Promise<never>((_, reject) => {
        cancel = clock.schedule(
          ATTEMPT_MS,
          () => reject(new Error(`No keys came within ${ATTEMPT_MS} ms`)),
          'background',
        )
      })
      const keys = await Promise.race([(async () => load({ signal: attempt.signal }))(), late])
      if (this.#attempt === attempt) this.#loaded(keyRingOf(keys, `${this.#option}()`))
    } catch (error) {
      if (this.#attempt === attempt) this.#failed(error)
    } finally {
      cancel()
      attempt.abort()
    }
    if (this.#attempt === attempt) this.#again(clock, load)
  }

  #loaded(ring: KeyRing): void {
    const before = this.#ring?.ids.join()
    const isNews = before !== ring.ids.join() || this.#failures > 0
    this.#failures = 0
    this.#ring = ring
    this.#endWaiting()
    if (isNews) this.#tell({ state: 'loaded', ring })
  }

  #failed(error: unknown): void {
    this.#failures += 1
    // Of failures in a row, only the first one is reported.
    if (this.#failures === 1) this.#tell({ state: 'failed', error })
  }

  #again(clock: Clock, load: LoadKeys): void {
    const ms = this.#pauseMs()
    if (ms === undefined) return
    this.#cancelNext = clock.schedule(ms, () => void this.#ask(clock, load), 'background')
  }

  #pauseMs(): number | undefined {
    if (this.#failures === 0) return this.#refreshMs
    const retryMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1))
    return Math.min(retryMs, this.#refreshMs ?? retryMs)
  }
}

function noKeys(): EncryptionKeyError {
  return new EncryptionKeyError('no-keys', 'There are no keys yet: the key source gave none')
}
