/**
 * What the store does with a Keyv: read, replace, delete and walk over entries, each call failing where Keyv only reports.
 */

import { iterationOf, type KeyvLike } from './keyv-like.ts'
import type { Settled } from './settle-windows.ts'

const KEYS_PER_CHUNK = 200

export class KeyvBackend {
  readonly #keyv: KeyvLike
  readonly #iterate: ReturnType<typeof iterationOf>
  readonly #values: 'base64' | 'binary'
  #namespace = ''
  #isClosed = false
  #failures = 0
  #lastFailure: unknown

  constructor(keyv: KeyvLike, values: 'base64' | 'binary') {
    this.#keyv = keyv
    this.#values = values
    this.#iterate = iterationOf(keyv)
  }

  /** Whether `scan` finds what is there. */
  get canScan(): boolean {
    return this.#iterate !== undefined
  }

  open(namespace: string): void {
    this.#namespace = namespace
    this.#keyv.on?.('error', this.#noteFailure)
  }

  /** Further calls fail. The Keyv stays its owner's, and open. */
  close(): void {
    this.#isClosed = true
    this.#keyv.off?.('error', this.#noteFailure)
  }

  async readEntries(fullKeys: readonly string[]): Promise<readonly (Buffer | undefined)[]> {
    const keys = fullKeys.map((key) => this.#keyOf(key))
    const { getMany } = this.#keyv
    const found = await this.#guarded(() =>
      getMany === undefined || keys.length === 1
        ? Promise.all(keys.map((key) => this.#keyv.get(key)))
        : getMany.call(this.#keyv, keys),
    )
    return keys.map((_, i) => bytesOf(found[i]))
  }

  async writeEntry(fullKey: string, { bytes, livesMs }: Settled): Promise<void> {
    await this.#set(this.#keyOf(fullKey), this.#encoded(bytes), livesMs)
  }

  async deleteEntries(fullKeys: readonly string[]): Promise<void> {
    const keys = fullKeys.map((key) => this.#keyOf(key))
    if (keys.length === 0) return
    const { deleteMany } = this.#keyv
    // What it answers does not tell "was not there" from "did not work"; its error events do.
    await this.#guarded<unknown>(() =>
      deleteMany === undefined || keys.length === 1
        ? Promise.all(keys.map((key) => this.#keyv.delete(key)))
        : deleteMany.call(this.#keyv, keys),
    )
  }

  async *scan(prefix: string): AsyncGenerator<readonly string[], void, undefined> {
    if (this.#iterate === undefined) return
    const start = this.#keyOf('')
    let chunk: string[] = []
    const failures = this.#failures
    for await (const [key] of this.#iterate()) {
      if (typeof key !== 'string' || !key.startsWith(start + prefix)) continue
      chunk.push(key.slice(start.length))
      if (chunk.length < KEYS_PER_CHUNK) continue
      yield chunk
      chunk = []
    }
    if (chunk.length > 0) yield chunk
    this.#assertNoneSince(failures)
  }

  readTags(): Promise<unknown> {
    return this.#guarded(() => this.#keyv.get(this.#tagsKey()))
  }

  async writeTags(text: string, livesMs: number): Promise<void> {
    await this.#set(this.#tagsKey(), text, livesMs)
  }

  readonly #noteFailure = (error: unknown): void => {
    this.#failures += 1
    this.#lastFailure = error
  }

  #keyOf(key: string): string {
    return `${this.#namespace}:e:${key}`
  }

  #tagsKey(): string {
    return `${this.#namespace}:tags`
  }

  #encoded(bytes: Buffer): string | Buffer {
    return this.#values === 'binary' ? bytes : bytes.toString('base64')
  }

  async #set(key: string, value: string | Buffer, livesMs: number): Promise<void> {
    const isSet = await this.#guarded(() => this.#keyv.set(key, value, livesMs))
    if (isSet === false) throw new Error('The Keyv backend did not store a value')
  }

  /** Runs a call, and fails if Keyv reported an error meanwhile: it answers as if nothing had happened. */
  async #guarded<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw new Error('The store was closed')
    const failures = this.#failures
    const result = await call()
    this.#assertNoneSince(failures)
    return result
  }

  #assertNoneSince(failures: number): void {
    if (this.#failures === failures) return
    throw new Error('The Keyv backend reported an error', { cause: this.#lastFailure })
  }
}

function bytesOf(value: unknown): Buffer | undefined {
  if (typeof value === 'string') return Buffer.from(value, 'base64')
  // A copy: a backend in memory would hand out what it keeps.
  return value instanceof Uint8Array ? Buffer.from(value) : undefined
}
