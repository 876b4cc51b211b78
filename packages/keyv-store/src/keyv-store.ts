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

import {
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
import { KeyvBackend } from './keyv-backend.ts'
import type { KeyvLike } from './keyv-like.ts'
import { LoadsUnderWay } from './loads-under-way.ts'
import { limitedTo, markerFor, type Settled, softened, windowAfter } from './settle-windows.ts'
import { SharedTags } from './shared-tags.ts'
import { changesSince } from './tag-document.ts'

/** How long the tag clock is kept after the last invalidation; if it expires, every entry counts as invalid once. */
const TAGS_LIVE_MS = 25 * 24 * 3_600_000

export class KeyvStore implements RemoteStore {
  readonly name = 'keyv'
  readonly capabilities: RemoteCapabilities
  readonly #backend: KeyvBackend
  readonly #tags: SharedTags
  readonly #loads = new LoadsUnderWay()
  readonly #turns = new KeyTurns((key) => this.#backend.deleteEntries([key]))
  /** The last number given for each partition. */
  readonly #lastSeqs = new Map<number, number>()
  #lastUs = 0

  constructor(keyv: KeyvLike, values: 'base64' | 'binary') {
    const backend = new KeyvBackend(keyv, values)
    this.#backend = backend
    this.capabilities = {
      leases: false,
      sequences: false,
      tags: false,
      publishes: false,
      scans: backend.canScan,
    }
    const storage = {
      read: () => backend.readTags(),
      write: (text: string) => backend.writeTags(text, TAGS_LIVE_MS),
    }
    this.#tags = new SharedTags(storage, () => this.#nowUs())
  }

  open(namespace: string): void {
    this.#backend.open(namespace)
  }

  read(addresses: readonly EntryAddress[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#backend.readEntries(addresses.map(({ key }) => key))
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
      const [standing] = await this.#backend.readEntries([key])
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

  scan(prefix: string): AsyncGenerator<readonly string[], void, undefined> {
    return this.#backend.scan(prefix)
  }

  async close(): Promise<void> {
    this.#backend.close()
  }

  /** Changes keys: loads of them that began here before have nothing left to store. */
  async #change(keys: readonly string[], change: () => Promise<unknown>): Promise<void> {
    this.#loads.void(keys)
    await this.#turns.run(keys, change)
  }

  /** Stores an entry, stamped now; returns that instant. */
  async #write(key: string, { bytes, livesMs }: Settled): Promise<number> {
    const nowMs = Date.now()
    stampCreation(bytes, nowMs)
    await this.#backend.writeEntry(key, { bytes, livesMs })
    return nowMs
  }

  async #evict(fullKeys: readonly string[], { soft, settleMs }: EvictRequest): Promise<void> {
    const found = await this.#backend.readEntries(fullKeys)
    const nowMs = Date.now()
    const gone: string[] = []
    const kept = fullKeys.map((key, i) => {
      const windowMs = windowAfter(found[i], settleMs, nowMs)
      const rest = soft ? softened(found[i], windowMs, nowMs) : undefined
      const left = rest ?? (windowMs > 0 ? markerFor(windowMs, nowMs) : undefined)
      if (left === undefined) gone.push(key)
      return left && this.#backend.writeEntry(key, left)
    })
    await Promise.all([...kept, this.#backend.deleteEntries(gone)])
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
