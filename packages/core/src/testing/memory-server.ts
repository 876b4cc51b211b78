/**
 * An in-memory store that several nodes share: what Redis and the scripts do, in TypeScript.
 *
 * It is the executable model of the remote store contract: the conformance suite runs on it and on Redis, and a simulation
 * can run whole fleets on it. Every operation is atomic and synchronous here; replies and messages travel through
 * `deliver`, which a test may replace to delay, drop, duplicate or reorder them.
 */

import type { BusListener, BusMessage } from '../contracts/bus.ts'
import type { Clock } from '../contracts/clock.ts'
import type {
  ClaimReply,
  ClaimRequest,
  EntryAddress,
  EvictRequest,
  FillReply,
  MutationReply,
  PartitionChanges,
  PutReply,
  PutRequest,
  TagBump,
  TagChanges,
  TagHead,
} from '../contracts/remote-store.ts'
import {
  decodeHeader,
  type EntryHeader,
  FLAG,
  FORMAT_VERSION,
  HEADER_BYTES,
  MAGIC,
  OFFSET,
} from '../entry/envelope.ts'

const LOG_CAP = 512
const TAG_CAP = 100_000
const SLACK_MS = 1_000

interface Stored {
  readonly bytes: Buffer
  expiresAt: number
}

interface LoggedKey {
  readonly seq: number
  readonly key: string
}

interface Log {
  seq: number
  floor: number
  keys: LoggedKey[]
}

interface Tags {
  version: number
  floor: number
  retentionMs: number
  readonly versions: Map<string, number>
}

/** A copy of everything, to go back to: what a failover to a lagging replica does. */
export interface MemorySnapshot {
  readonly entries: ReadonlyMap<string, Stored>
  readonly logs: ReadonlyMap<number, Log>
  readonly tags: Tags | undefined
}

export class MemoryServer {
  readonly #clock: Clock
  readonly #epochMs: number
  readonly #listeners = new Set<BusListener>()
  #entries = new Map<string, Stored>()
  #logs = new Map<number, Log>()
  #tags: Tags | undefined
  #minted = 0
  /** How messages travel; may be replaced. Defaults to the next microtask. */
  deliver: (listener: BusListener, message: BusMessage) => void = (listener, message) => {
    queueMicrotask(() => {
      if (this.#listeners.has(listener)) listener.onMessage(message)
    })
  }

  /** `epochMs` is the server's wall clock when the given clock reads 0. */
  constructor(clock: Clock, epochMs = 1_700_000_000_000) {
    this.#clock = clock
    this.#epochMs = epochMs
  }

  get nowMs(): number {
    return Math.floor(this.#epochMs + this.#clock.now())
  }

  /** Number of entries held, lease-only ones included. */
  get size(): number {
    return this.keys().length
  }

  keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.#find(key) !== undefined)
  }

  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** FLUSHALL. */
  flush(): void {
    this.#entries = new Map()
    this.#logs = new Map()
    this.#tags = undefined
  }

  /** Loses one thing, as `maxmemory` might. */
  lose(
    what: { readonly entry: string } | { readonly log: number } | { readonly tags: true },
  ): void {
    if ('entry' in what) this.#entries.delete(what.entry)
    else if ('log' in what) this.#logs.delete(what.log)
    else this.#tags = undefined
  }

  snapshot(): MemorySnapshot {
    return structuredCloneOf({ entries: this.#entries, logs: this.#logs, tags: this.#tags })
  }

  /** Goes back to a snapshot, as a failover that lost the tail does. */
  restore(snapshot: MemorySnapshot): void {
    const copy = structuredCloneOf(snapshot)
    this.#entries = new Map(copy.entries)
    this.#logs = new Map(copy.logs)
    this.#tags = copy.tags
  }

  read(key: string): Buffer | undefined {
    const found = this.#find(key)
    return found === undefined ? undefined : Buffer.from(found.bytes)
  }

  /** Puts bytes there as somebody else might. */
  writeRaw(key: string, bytes: Uint8Array, livesMs: number): void {
    this.#store(key, Buffer.from(bytes), livesMs)
  }

  claim({ key }: EntryAddress, { token, leaseMs, seen, overtake }: ClaimRequest): ClaimReply {
    const nowMs = this.nowMs
    const head = this.#header(key)
    if (head === undefined) {
      this.#store(
        key,
        emptyEntry(FLAG.empty, { deadline: nowMs + leaseMs, token }),
        leaseMs + SLACK_MS,
      )
      return { kind: 'granted', nowMs }
    }
    const isValue = (head.flags & FLAG.empty) === 0
    const isFresh = (head.flags & FLAG.stale) === 0 && head.createdAt + head.freshForMs > nowMs
    if (isValue && head.commit !== seen && isFresh) {
      return { kind: 'filled', bytes: this.read(key) ?? Buffer.alloc(0), nowMs }
    }
    const { leaseToken: holder } = head
    const isHeld =
      holder !== 0 && holder !== token && holder !== overtake && head.leaseDeadline > nowMs
    if (isHeld) {
      this.#patchFlags(key, head.flags | FLAG.waited)
      return { kind: 'held', holder, remainingMs: head.leaseDeadline - nowMs, nowMs }
    }
    this.#patchLease(key, nowMs + leaseMs, token)
    this.#liveAtLeast(key, leaseMs + SLACK_MS)
    return { kind: 'granted', nowMs }
  }

  renew({ key }: EntryAddress, token: number, leaseMs: number): boolean {
    if (this.#header(key)?.leaseToken !== token) return false
    this.#patchLease(key, this.nowMs + leaseMs, token)
    this.#liveAtLeast(key, leaseMs + SLACK_MS)
    return true
  }

  release({ key }: EntryAddress, token: number): void {
    const head = this.#header(key)
    if (head?.leaseToken !== token) return
    const isDisposable = (head.flags & FLAG.empty) !== 0 && (head.flags & FLAG.settling) === 0
    if (isDisposable) this.#entries.delete(key)
    else {
      this.#patchFlags(key, head.flags & ~FLAG.waited)
      this.#patchLease(key, 0, 0)
    }
    if ((head.flags & FLAG.waited) !== 0) this.#publish({ kind: 'wake', key })
  }

  fill({ key }: EntryAddress, token: number, bytes: Uint8Array, livesMs: number): FillReply {
    const nowMs = this.nowMs
    const head = this.#header(key)
    if (head?.leaseToken !== token) return { stored: false, livesMs: 0, nowMs }
    const windowMs = head.createdAt + head.livesForMs - nowMs
    const isSettling = (head.flags & FLAG.settling) !== 0 && windowMs > 0
    const life = isSettling ? Math.min(livesMs, windowMs) : livesMs
    const copy = stamped(bytes, nowMs)
    if (isSettling) {
      for (const at of [OFFSET.freshFor, OFFSET.staleFor, OFFSET.livesFor])
        copy.writeUIntBE(life, at, 5)
    }
    this.#store(key, copy, life)
    if ((head.flags & FLAG.waited) !== 0) this.#publish({ kind: 'wake', key })
    return { stored: true, livesMs: life, nowMs }
  }

  put({ key, partition }: EntryAddress, { bytes, livesMs, since }: PutRequest): PutReply {
    const log = this.#log(partition)
    const wasChanged =
      since > 0 &&
      (since < log.floor || log.keys.some((logged) => logged.key === key && logged.seq > since))
    if (wasChanged) this.#entries.delete(key)
    else this.#store(key, stamped(bytes, this.nowMs), livesMs)
    return { stored: !wasChanged, ...this.#record(partition, [key]) }
  }

  evict(
    addresses: readonly EntryAddress[],
    { soft, settleMs }: EvictRequest,
  ): readonly MutationReply[] {
    const byPartition = new Map<number, string[]>()
    for (const { partition, key } of addresses) {
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), key])
    }
    return Array.from(byPartition, ([partition, keys]) => {
      for (const key of keys) this.#evictOne(key, soft, settleMs)
      return this.#record(partition, keys)
    })
  }

  head(partition: number): number {
    return this.#log(partition).seq
  }

  tagHead(): TagHead {
    const { version, floor } = this.#openTags()
    return { version, floor }
  }

  changesSince(partition: number, seq: number): PartitionChanges {
    const log = this.#log(partition)
    const isKnown =
      seq === log.seq ||
      seq === log.floor ||
      (seq > log.floor && log.keys.some((logged) => logged.seq === seq))
    if (!isKnown) return { kind: 'unknown', seq: log.seq }
    const keys = log.keys.filter((logged) => logged.seq > seq).map((logged) => logged.key)
    return { kind: 'delta', seq: log.seq, keys }
  }

  bumpTags(names: readonly string[], known: number, retentionMs: number): TagBump {
    const tags = this.#openTags()
    const previous = tags.version
    tags.version = Math.max(this.#mint(previous), Math.floor(known) + 1)
    tags.retentionMs = Math.max(tags.retentionMs, retentionMs)
    for (const name of names) tags.versions.set(name, tags.version)
    this.#prune(tags)
    const bump = { previous, version: tags.version, floor: tags.floor }
    this.#publish({ kind: 'tags', ...bump, tags: names })
    return bump
  }

  tagsSince(version: number): TagChanges {
    const tags = this.#openTags()
    const newer = [...tags.versions].filter(([, at]) => at > version)
    return { version: tags.version, floor: tags.floor, tags: newer }
  }

  restoreTags(lost: readonly (readonly [tag: string, version: number])[], clock: number): void {
    const tags = this.#openTags()
    const previous = tags.version
    const raised = lost.filter(([name, at]) => (tags.versions.get(name) ?? 0) < at)
    for (const [name, at] of raised) tags.versions.set(name, at)
    tags.version = Math.max(previous, Math.floor(clock))
    if (raised.length === 0 && tags.version === previous) return
    const names = raised.map(([name]) => name)
    this.#publish({ kind: 'tags', previous, version: tags.version, floor: tags.floor, tags: names })
  }

  #evictOne(key: string, soft: boolean, settleMs: number): void {
    const head = this.#header(key)
    if (soft) {
      if (head === undefined) return
      if ((head.flags & FLAG.empty) !== 0) this.#entries.delete(key)
      else {
        this.#patchFlags(key, (head.flags & ~FLAG.waited) | FLAG.stale)
        this.#patchLease(key, 0, 0)
      }
      return
    }
    this.#entries.delete(key)
    if (settleMs === 0) return
    const marker = emptyEntry(FLAG.empty | FLAG.settling, { deadline: 0, token: 0 })
    marker.writeUIntBE(this.nowMs, OFFSET.createdAt, 6)
    marker.writeUIntBE(settleMs, OFFSET.livesFor, 5)
    this.#store(key, marker, settleMs)
  }

  #record(partition: number, keys: readonly string[]): MutationReply {
    const log = this.#log(partition)
    const previous = log.seq
    log.seq = this.#mint(previous)
    log.keys.push(...keys.map((key) => ({ seq: log.seq, key })))
    const excess = log.keys.length - LOG_CAP
    if (excess > 0) log.floor = log.keys.splice(0, excess).at(-1)?.seq ?? log.floor
    this.#publish({ kind: 'keys', partition, previous, seq: log.seq, keys })
    return { partition, previous, seq: log.seq, nowMs: this.nowMs }
  }

  #prune(tags: Tags): void {
    const oldest = tags.version - tags.retentionMs * 1_000
    const byAge = [...tags.versions].sort((a, b) => a[1] - b[1])
    const excess = Math.max(0, byAge.length - TAG_CAP)
    for (const [i, [name, at]] of byAge.entries()) {
      if (at > oldest && i >= excess) return
      tags.versions.delete(name)
      tags.floor = Math.max(tags.floor, at)
    }
  }

  #log(partition: number): Log {
    const known = this.#logs.get(partition)
    if (known !== undefined) return known
    const seq = this.#mint(0)
    const log = { seq, floor: seq, keys: [] }
    this.#logs.set(partition, log)
    return log
  }

  #openTags(): Tags {
    const version = this.#tags === undefined ? this.#mint(0) : 0
    this.#tags ??= { version, floor: version, retentionMs: 0, versions: new Map() }
    return this.#tags
  }

  /** Microseconds of the server's clock, or one more than the last: two nodes never see the same number twice. */
  #mint(last: number): number {
    const us = Math.max(Math.floor((this.#epochMs + this.#clock.now()) * 1_000), this.#minted)
    // A manual clock may stand still while a log is lost and begun anew; a real one never does.
    this.#minted = Math.max(last + 1, us) + (last === 0 ? 1 : 0)
    return last === 0 ? this.#minted : Math.max(last + 1, us)
  }

  #publish(message: BusMessage): void {
    for (const listener of this.#listeners) this.deliver(listener, message)
  }

  #find(key: string): Stored | undefined {
    const found = this.#entries.get(key)
    if (found === undefined || found.expiresAt > this.nowMs) return found
    this.#entries.delete(key)
    return undefined
  }

  #header(key: string): EntryHeader | undefined {
    const found = this.#find(key)
    return found === undefined ? undefined : decodeHeader(found.bytes)
  }

  #store(key: string, bytes: Buffer, livesMs: number): void {
    this.#entries.set(key, { bytes, expiresAt: this.nowMs + livesMs })
  }

  #patchFlags(key: string, flags: number): void {
    this.#find(key)?.bytes.writeUInt8(flags, OFFSET.flags)
  }

  #patchLease(key: string, deadline: number, token: number): void {
    const bytes = this.#find(key)?.bytes
    bytes?.writeUIntBE(deadline, OFFSET.leaseDeadline, 6)
    bytes?.writeUIntBE(token, OFFSET.leaseToken, 6)
  }

  #liveAtLeast(key: string, ms: number): void {
    const found = this.#find(key)
    if (found !== undefined) found.expiresAt = Math.max(found.expiresAt, this.nowMs + ms)
  }
}

function stamped(bytes: Uint8Array, nowMs: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUIntBE(nowMs, OFFSET.createdAt, 6)
  return copy
}

function emptyEntry(
  flags: number,
  lease: { readonly deadline: number; readonly token: number },
): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.set([MAGIC, FORMAT_VERSION, flags])
  bytes.writeUIntBE(lease.deadline, OFFSET.leaseDeadline, 6)
  bytes.writeUIntBE(lease.token, OFFSET.leaseToken, 6)
  return bytes
}

/** A deep copy that keeps Buffers Buffers, which structuredClone does not. */
function structuredCloneOf(snapshot: {
  entries: ReadonlyMap<string, Stored>
  logs: ReadonlyMap<number, Log>
  tags: Tags | undefined
}): { entries: Map<string, Stored>; logs: Map<number, Log>; tags: Tags | undefined } {
  return {
    entries: new Map(
      Array.from(snapshot.entries, ([key, { bytes, expiresAt }]) => [
        key,
        { bytes: Buffer.from(bytes), expiresAt },
      ]),
    ),
    logs: structuredClone(new Map(snapshot.logs)),
    tags: structuredClone(snapshot.tags),
  }
}
