/**
 * What the shared tier needs of a store: a few atomic steps over entries, partitions and the tag clock.
 *
 * Entries are opaque bytes except for their fixed-size header (see `entry/envelope.ts`), whose lease fields and flags the
 * store reads and patches. Every method may reject at any time; the engine bounds each call with its own deadline, counts
 * failures in a circuit breaker, and turns them into misses.
 */

import type { Bus } from './bus.ts'
import type { CodecFactory } from './codec.ts'
import type { StoreProviders } from './providers.ts'

/** The place of an entry: its partition and its full key (`cache:key`) inside the namespace. */
export interface EntryAddress {
  readonly partition: number
  readonly key: string
}

/** What a store can promise; where it cannot, the engine works without it, and says so. */
export interface RemoteCapabilities {
  /** `fill` stores only for the current lease holder (invariants I2 and I4 across nodes). */
  readonly leases: boolean
  /**
   * Partitions have sequence numbers and logs, so that lost messages are noticed before `maxStaleness` ends. Without them,
   * replies to changes number the changes made through this very instance, `sync` returns no heads, `changesSince` returns
   * `unknown`, and numbers of different nodes are not compared.
   */
  readonly sequences: boolean
  /**
   * Tag versions are minted atomically and strictly increase. The engine does the same with and without it; the conformance suite
   * checks it only where it is promised.
   */
  readonly tags: boolean
  /** Mutations publish in the same atomic step. Otherwise the engine publishes after them through `Bus.publish`. */
  readonly publishes: boolean
  /** `scan` is supported. */
  readonly scans: boolean
}

export interface ClaimRequest {
  /** Random non-zero 48-bit number that identifies this load. */
  readonly token: number
  readonly leaseMs: number
  /** Commit id of the entry that the caller read and could not use; 0 when it read nothing. */
  readonly seen: number
  /** Token of a holder that the caller waited for long enough; its lease is taken over if it still stands. 0 for none. */
  readonly overtake: number
}

export type ClaimReply =
  /** The caller loads. A header-only entry now carries the lease, or the stale value's header does. */
  | { readonly kind: 'granted'; readonly nowMs: number }
  /** Another caller loads; the waiter flag is set, so the end of the lease will be announced. */
  | {
      readonly kind: 'held'
      readonly holder: number
      readonly remainingMs: number
      readonly nowMs: number
    }
  /** Another caller has filled it meanwhile: an entry with another commit id than `seen`. */
  | { readonly kind: 'filled'; readonly bytes: Uint8Array; readonly nowMs: number }

export interface FillReply {
  /** False when the lease was lost: evicted, replaced, taken over or dropped. Nothing was stored. */
  readonly stored: boolean
  /** How long the entry lives; shorter than asked inside a settle window. */
  readonly livesMs: number
  readonly nowMs: number
}

export interface MutationReply {
  readonly partition: number
  /**
   * The partition's number before this change. Without `sequences`: the last number that this instance returned for the
   * partition, 0 if none. Never less, because a number that goes back means that the store has lost its history.
   */
  readonly previous: number
  /** The partition's number from this change on. Changes of one partition that were asked for together may share it. */
  readonly seq: number
  readonly nowMs: number
  /**
   * The change waits to be announced together with others, and is heard of within so many ms. What seems to be missing before it
   * may be waiting as well, so it is not looked for until then. Absent: it was announced at once.
   */
  readonly announcedWithinMs?: number | undefined
}

export interface PutRequest {
  readonly bytes: Uint8Array
  readonly livesMs: number
  /**
   * The partition's sequence number the writer knew before it made the value. When the key was changed after it, or the log
   * no longer reaches back to it, or does not contain it because a history was lost, it is unknown which value is newer:
   * the put then evicts. 0 to write in any case; the
   * engine does so only where there are no sequences, because a put may arrive long after it was given up.
   */
  readonly since: number
}

export interface PutReply extends MutationReply {
  /** False when the put became an evict. */
  readonly stored: boolean
}

export interface SwapRequest {
  /** What is to be stored; no bytes at all to remove the entry. */
  readonly bytes: Uint8Array
  readonly livesMs: number
  /** Commit id of the entry that the writer saw; 0 when it saw none, or only a header. */
  readonly seen: number
  /**
   * For a writer that found no value it could use: the partition's sequence number that it knew before it looked, from 1. The
   * entry must be the one it saw, and the key unchanged since, as far as the log can tell. 0 for a writer that used the value
   * it saw: the entry must be that one, and not softened since.
   */
  readonly since: number
}

export type SwapReply =
  /** Done: logged and published like a put. */
  | ({ readonly stored: true } & MutationReply)
  /** Nothing was changed. `bytes`: what is there now, and `seq`: the number that the partition has at that moment. */
  | {
      readonly stored: false
      readonly bytes: Uint8Array | undefined
      readonly seq: number
      readonly nowMs: number
    }

export interface EvictRequest {
  /** Keep the bytes as stale instead of removing them; the lease is voided in any case. */
  readonly soft: boolean
  /**
   * Fills that happen within this window live no longer than it; 0 for none. A softened entry has its window as well: the
   * flags `stale` and `settling`, and its end at created-at plus fresh-for, which means nothing else in a stale entry. A
   * window that stands and ends later stays, whatever a later evict asks for; only a put that is stored ends it.
   */
  readonly settleMs: number
}

/** Tag clock and floor as the store holds them. */
export interface TagHead {
  readonly version: number
  readonly floor: number
}

export interface SyncReply {
  /** The store's clock, ms since the epoch. Used to age entries, never to order. */
  readonly nowMs: number
  /** Sequence number of each requested partition, in order; `undefined` where it could not be read or there is none. */
  readonly heads: readonly (number | undefined)[]
  readonly tags: TagHead | undefined
  /** Changes wait to be announced together, and are heard of within so many ms. Absent: each is announced at once. */
  readonly announcedWithinMs?: number | undefined
}

export type PartitionChanges =
  /** Every key changed after the given sequence number. */
  | {
      readonly kind: 'delta'
      readonly seq: number
      readonly keys: readonly string[]
      /** The number of each change, in the order of `keys`. Left out where a store does not know: then changes cannot be dated. */
      readonly numbers?: readonly number[]
    }
  /** The log does not reach back far enough, or this history does not contain that sequence number. */
  | { readonly kind: 'unknown'; readonly seq: number }

export interface TagBump {
  readonly previous: number
  readonly version: number
  readonly floor: number
}

export interface TagChanges {
  readonly version: number
  readonly floor: number
  /** Tags with a higher version than the one asked for. */
  readonly tags: readonly (readonly [tag: string, version: number])[]
}

/**
 * The shared tier. The store mints sequence numbers and tag versions. They strictly increase, below 2^53: its clock in
 * µs, so that a history that was lost and begun again is recognised. Where the clock is behind the last number, it adds a random
 * step to that number, because counting on would repeat the numbers of a lost history.
 */
export interface RemoteStore extends StoreProviders {
  readonly name: string
  readonly capabilities: RemoteCapabilities
  /** The codec for values when the manager is given none. */
  readonly codec?: CodecFactory | undefined
  /** Delivers what this store's mutations publish. */
  readonly bus?: Bus | undefined
  /**
   * How many reads of one tick are sent in one call, so that the store works on them while more are gathered. A whole number from 1.
   *
   * @default none: a call takes all reads of a tick, at its end
   */
  readonly readsAtOnce?: number | undefined
  /** Called once before any other method; connects lazily and does not throw because the other side is away. */
  open(namespace: string): void
  /** Reads whole entries, in order. One round trip, however many. */
  read(addresses: readonly EntryAddress[]): Promise<readonly (Uint8Array | undefined)[]>
  /** Reads at least the header of each entry, in order. One round trip, however many. */
  readHeaders(addresses: readonly EntryAddress[]): Promise<readonly (Uint8Array | undefined)[]>
  claim(address: EntryAddress, request: ClaimRequest): Promise<ClaimReply>
  /** Extends the lease if `token` still holds it. */
  renew(address: EntryAddress, token: number, leaseMs: number): Promise<boolean>
  /** Gives the lease up without a value; wakes waiters. It is not an error when the caller does not hold it. */
  release(address: EntryAddress, token: number): Promise<void>
  /** Stores the entry while `token` holds the lease, stamping its creation time; wakes waiters. */
  fill(address: EntryAddress, token: number, bytes: Uint8Array, livesMs: number): Promise<FillReply>
  /** Replaces the entry, voids any lease, bumps the sequence, logs and publishes the key. */
  put(address: EntryAddress, request: PutRequest): Promise<PutReply>
  /**
   * Replaces the entry if it still is the one that the writer saw, and otherwise changes nothing and returns what is there; in one
   * atomic step. An entry that already has the commit id of `bytes` counts as done: the request came twice. Without this
   * method the store cannot do updates (`cache.update`). It needs `sequences`.
   */
  swap?(address: EntryAddress, request: SwapRequest): Promise<SwapReply>
  /**
   * Removes (or softens) entries and their leases, bumps, logs and publishes, with `soft` and `settleMs` where they were
   * asked for; one reply per partition touched.
   */
  evict(
    addresses: readonly EntryAddress[],
    request: EvictRequest,
  ): Promise<readonly MutationReply[]>
  /** Reads heads and the tag clock, creating those that are absent. One round trip, two when something was absent. */
  sync(partitions: readonly number[]): Promise<SyncReply>
  changesSince(partition: number, seq: number): Promise<PartitionChanges>
  /**
   * Mints one version above the clock and `known` for all the tags, publishes, and prunes tags older than `retentionMs`
   * (or than the longest one that any node has asked for) by raising the floor over them.
   */
  bumpTags(tags: readonly string[], known: number, retentionMs: number): Promise<TagBump>
  tagsSince(version: number): Promise<TagChanges>
  /** Full keys that begin with `prefix`, in chunks, each at least once; never blocks the store for long. */
  scan(prefix: string): AsyncIterable<readonly string[]>
  /** Whether the store should be asked right now; false while it is known to be disconnected. */
  readonly ready?: boolean
  /**
   * Begins to connect, after `open`, and resolves when the first attempt has ended, well or badly; at once when it has ended.
   * Until then a failure says nothing about the other side, because a process that starts is slow. Never rejects; bound it.
   */
  whenTried?(): Promise<void>
  /**
   * Registers a listener that is told, once for each kind, what keeps the store from working as it is set up, such as a missing
   * right. One listener: the last one is used. It must not throw.
   */
  onTrouble?(listener: (error: Error) => void): void
  close(): Promise<void>
}
