/**
 * A shared tier on any Keyv backend, with the guarantees that a plain key-value store allows and no others.
 *
 * A Keyv backend reads, replaces and deletes single values. It has no step that compares before it writes, so whatever
 * depends on one is missing here, and `capabilities` says so. The cost of each missing ability:
 *
 * - `leases: false`. Another process cannot be kept from filling. Every node that misses loads (one load per node, not one
 *   in all: I4 holds per process), and a load that began before an eviction on *another* node may store its old value after
 *   it; that lives until it expires or is evicted again (I2 holds per process, by leases only this process knows of). Settle
 *   windows stand in the entries, and every fill or eviction reads it first; a fill that crosses the eviction on another
 *   node does not see the window.
 * - `sequences: false`. There are no logs. A node learns of another's change when it compares its local copy with the store,
 *   which it does once the copy is `maxStaleness` old: I3 rests on that alone, and costs a read per key and `maxStaleness`.
 * - `tags: false`. Versions are minted by reading, adding and writing back. Two processes that do it at the same moment lose
 *   one of the two, until the one who lost notices at its next sync and does it again.
 * - `publishes: false`, and no bus. Changes are not noticed before `maxStaleness` is over.
 * - `scans`: where the backend can iterate. Then every value is read and decoded on the way.
 *
 * There is no server clock either: entries are stamped by the clock of the node that wrote them. Clocks that disagree make
 * entries live that much longer or shorter; they order nothing but tag versions.
 */

import { InvalidOptionError } from '@larder/core'
import {
  assertKnownOptions,
  assertOneOf,
  type ClaimReply,
  type ClaimRequest,
  type EntryAddress,
  type EvictRequest,
  type FillReply,
  HEADER_BYTES,
  type MutationReply,
  type PartitionChanges,
  type PutReply,
  type PutRequest,
  type RemoteCapabilities,
  type RemoteStore,
  type SyncReply,
  stampCreation,
  type TagBump,
  type TagChanges,
} from '@larder/core/store'
import { KeyTurns } from './key-turns.ts'
import { iterationOf, type KeyvLike } from './keyv-like.ts'
import { LoadsUnderWay } from './loads-under-way.ts'
import { limitedTo, markerFor, type Settled, softened, windowAfter } from './settle-windows.ts'
import { SharedTags } from './shared-tags.ts'
import { changesSince } from './tag-document.ts'

export type { KeyvLike } from './keyv-like.ts'
export { type KeyvStorage, keyvStorage } from './keyv-storage.ts'

export interface FromKeyvOptions {
  /**
   * The form in which entries are passed to Keyv. `'base64'`: texts, which every backend and serializer keeps as they are; a third
   * larger. `'binary'`: Buffers, for those that do so with them. Both are read whatever is set here. @default 'base64'
   */
  readonly values?: 'base64' | 'binary' | undefined
}

const NAMES = ['values'] as const satisfies readonly (keyof FromKeyvOptions)[]

/** How long the tag clock is kept after the last invalidation; if it expires, every entry counts as invalid once. */
const TAGS_LIVE_MS = 25 * 24 * 3_600_000
const KEYS_PER_CHUNK = 200

/**
 * Makes a shared tier of a Keyv. See the guide for what it cannot promise.
 *
 * The owner keeps the Keyv: it is not closed here, and its namespace, serializer and compression are used as they are. Its
 * `error` events count as failures of the calls under way.
 *
 * @throws InvalidOptionError when it is not a Keyv, or an option is wrong.
 * @example createCacheManager({ namespace: 'shop', remote: fromKeyv(new Keyv(new KeyvPostgres(uri))), codec: msgpackCodec })
 */
export function fromKeyv(keyv: KeyvLike, options: FromKeyvOptions = {}): RemoteStore {
  assertKeyv(keyv)
  assertKnownOptions(options, NAMES, 'fromKeyv')
  const values = options.values ?? 'base64'
  assertOneOf(values, ['base64', 'binary'], 'fromKeyv.values')
  return new KeyvStore(keyv, values)
}

class KeyvStore implements RemoteStore {
  readonly name = 'keyv'
  readonly capabilities: RemoteCapabilities
  readonly #keyv: KeyvLike
  readonly #iterate: ReturnType<typeof iterationOf>
  readonly #values: 'base64' | 'binary'
  readonly #tags: SharedTags
  readonly #loads = new LoadsUnderWay()
  readonly #turns = new KeyTurns((key) => this.#delete([key]))
  /** The last number given for each partition. */
  readonly #lastSeqs = new Map<number, number>()
  #namespace = ''
  #isClosed = false
  #failures = 0
  #lastFailure: unknown
  #lastUs = 0

  constructor(keyv: KeyvLike, values: 'base64' | 'binary') {
    this.#keyv = keyv
    this.#values = values
    this.#iterate = iterationOf(keyv)
    this.capabilities = {
      leases: false,
      sequences: false,
      tags: false,
      publishes: false,
      scans: this.#iterate !== undefined,
    }
    const key = (): string => `${this.#namespace}:tags`
    const storage = {
      read: () => this.#guarded(() => keyv.get(key())),
      write: (text: string) => this.#set(key(), text, TAGS_LIVE_MS),
    }
    this.#tags = new SharedTags(storage, () => this.#nowUs())
  }

  open(namespace: string): void {
    this.#namespace = namespace
    this.#keyv.on?.('error', this.#noteFailure)
  }

  read(addresses: readonly EntryAddress[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#readAll(addresses.map(({ key }) => key))
  }

  async readHeaders(
    addresses: readonly EntryAddress[],
  ): Promise<readonly (Uint8Array | undefined)[]> {
    // A backend that only reads whole values is asked for them; only what goes on from here is cut.
    const found = await this.read(addresses)
    return found.map((bytes) => bytes?.subarray(0, HEADER_BYTES))
  }

  async claim({ key }: EntryAddress, { token }: ClaimRequest): Promise<ClaimReply> {
    this.#loads.begin(key, token)
    return { kind: 'granted', nowMs: Date.now() }
  }

  async renew({ key }: EntryAddress, token: number): Promise<boolean> {
    return this.#loads.has(key, token)
  }

  async release({ key }: EntryAddress, token: number): Promise<void> {
    this.#loads.end(key, token)
  }

  fill(
    { key }: EntryAddress,
    token: number,
    bytes: Uint8Array,
    livesMs: number,
  ): Promise<FillReply> {
    return this.#turns.run([key], async () => {
      if (!this.#loads.end(key, token)) return { stored: false, livesMs: 0, nowMs: Date.now() }
      const [standing] = await this.#readAll([key])
      const windowMs = windowAfter(standing, 0, Date.now())
      const filled = limitedTo(windowMs, Buffer.from(bytes), livesMs)
      const nowMs = await this.#write(key, filled)
      return { stored: true, livesMs: filled.livesMs, nowMs }
    })
  }

  async put({ partition, key }: EntryAddress, request: PutRequest): Promise<PutReply> {
    const { bytes, livesMs, since } = request
    // Without a log it is unknown what happened since, and then a put must be an evict.
    const stored = since === 0
    await this.#change([key], () =>
      stored
        ? this.#write(key, { bytes: Buffer.from(bytes), livesMs })
        : this.#evict([key], { soft: false, settleMs: 0 }),
    )
    return { ...this.#mutation(partition), stored }
  }

  async evict(
    addresses: readonly EntryAddress[],
    request: EvictRequest,
  ): Promise<readonly MutationReply[]> {
    const keys = addresses.map(({ key }) => key)
    await this.#change(keys, () => this.#evict(keys, request))
    const partitions = new Set(addresses.map(({ partition }) => partition))
    return [...partitions].map((partition) => this.#mutation(partition))
  }

  async sync(partitions: readonly number[]): Promise<SyncReply> {
    const { version, floor } = await this.#tags.read()
    const heads = partitions.map(() => undefined)
    return { nowMs: Date.now(), heads, tags: { version, floor } }
  }

  async changesSince(): Promise<PartitionChanges> {
    return { kind: 'unknown', seq: this.#nowUs() }
  }

  bumpTags(tags: readonly string[], known: number, retentionMs: number): Promise<TagBump> {
    return this.#tags.bump(tags, { known, retentionMs })
  }

  async tagsSince(version: number): Promise<TagChanges> {
    return changesSince(await this.#tags.read(), version)
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

  async close(): Promise<void> {
    this.#isClosed = true
    this.#keyv.off?.('error', this.#noteFailure)
  }

  readonly #noteFailure = (error: unknown): void => {
    this.#failures += 1
    this.#lastFailure = error
  }

  /** Changes keys: loads of them that began here before have nothing left to store. */
  async #change(keys: readonly string[], change: () => Promise<unknown>): Promise<void> {
    this.#loads.void(keys)
    await this.#turns.run(keys, change)
  }

  #keyOf(key: string): string {
    return `${this.#namespace}:e:${key}`
  }

  async #readAll(fullKeys: readonly string[]): Promise<readonly (Buffer | undefined)[]> {
    const keys = fullKeys.map((key) => this.#keyOf(key))
    const { getMany } = this.#keyv
    const found = await this.#guarded(() =>
      getMany === undefined || keys.length === 1
        ? Promise.all(keys.map((key) => this.#keyv.get(key)))
        : getMany.call(this.#keyv, keys),
    )
    return keys.map((_, i) => bytesOf(found[i]))
  }

  /** Stores an entry, stamped now; returns that instant. */
  async #write(key: string, { bytes, livesMs }: Settled): Promise<number> {
    const nowMs = Date.now()
    stampCreation(bytes, nowMs)
    await this.#set(this.#keyOf(key), this.#encoded(bytes), livesMs)
    return nowMs
  }

  #encoded(bytes: Buffer): string | Buffer {
    return this.#values === 'binary' ? bytes : bytes.toString('base64')
  }

  async #evict(fullKeys: readonly string[], { soft, settleMs }: EvictRequest): Promise<void> {
    const found = await this.#readAll(fullKeys)
    const nowMs = Date.now()
    const gone: string[] = []
    const kept = fullKeys.map((key, i) => {
      const windowMs = windowAfter(found[i], settleMs, nowMs)
      const rest = soft ? softened(found[i], windowMs, nowMs) : undefined
      const left = rest ?? (windowMs > 0 ? markerFor(windowMs, nowMs) : undefined)
      if (left === undefined) gone.push(key)
      return left && this.#set(this.#keyOf(key), this.#encoded(left.bytes), left.livesMs)
    })
    await Promise.all([...kept, this.#delete(gone)])
  }

  async #delete(fullKeys: readonly string[]): Promise<void> {
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

  /** There is no shared history, so the numbers are those of this node's own changes, one after another. */
  #mutation(partition: number): MutationReply {
    const previous = this.#lastSeqs.get(partition) ?? 0
    const seq = this.#nowUs()
    this.#lastSeqs.set(partition, seq)
    return { partition, previous, seq, nowMs: Date.now() }
  }

  /** Microseconds since the epoch by this node's clock, never the same twice. `Date` would repeat itself for a millisecond. */
  #nowUs(): number {
    const nowUs = Math.floor((performance.timeOrigin + performance.now()) * 1_000)
    this.#lastUs = Math.max(this.#lastUs + 1, nowUs)
    return this.#lastUs
  }
}

function bytesOf(value: unknown): Buffer | undefined {
  if (typeof value === 'string') return Buffer.from(value, 'base64')
  // A copy: a backend in memory would hand out what it keeps.
  return value instanceof Uint8Array ? Buffer.from(value) : undefined
}

function assertKeyv(keyv: unknown): void {
  const { get, set, delete: remove } = (keyv ?? {}) as Record<string, unknown>
  if ([get, set, remove].every((method) => typeof method === 'function')) return
  throw new InvalidOptionError({
    option: 'fromKeyv.keyv',
    expected: 'a Keyv',
    received: keyv,
  })
}
