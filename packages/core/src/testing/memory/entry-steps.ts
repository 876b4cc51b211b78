/**
 * What a server does to one entry, each function one atomic step.
 *
 * These are the model of the shared tier's semantics: a store written for another database does the same in its own
 * transactions or scripts. Everything rests on the header: a step that removes or replaces an entry removes the lease on it,
 * so a load that began before has nothing left to fill.
 */

import type { KeysMessage } from '../../contracts/bus.ts'
import type {
  ClaimReply,
  ClaimRequest,
  EntryAddress,
  EvictRequest,
  FillReply,
  MutationReply,
  PutReply,
  PutRequest,
} from '../../contracts/remote-store.ts'
import { decodeHeader, type EntryHeader, FLAG } from '../../entry/envelope.ts'
import {
  clearLease,
  emptyHeader,
  limitLife,
  setFlag,
  setLease,
  setLife,
  softenEntry,
  stampCreation,
  windowOf,
} from '../../entry/header-patch.ts'
import { find, isWaitedFor, nowMsOf, type Step } from './step.ts'

/** An entry outlives its lease by this much, so that a fill at the last moment still finds its token. */
const SLACK_MS = 1_000

export function claim(step: Step, address: EntryAddress, request: ClaimRequest): ClaimReply {
  const { token, leaseMs, seen, overtake } = request
  const nowMs = nowMsOf(step)
  const found = find(step, address)
  if (found === undefined) {
    const bytes = emptyHeader(FLAG.empty)
    setLease(bytes, nowMs + leaseMs, token)
    step.space.set(address, bytes, nowMs + leaseMs + SLACK_MS)
    return { kind: 'granted', nowMs }
  }
  const { header, bytes } = found
  if (isNews(header, seen, nowMs)) return { kind: 'filled', bytes: Buffer.from(bytes), nowMs }
  const { leaseToken: holder, leaseDeadline } = header
  const isHeld = holder !== 0 && holder !== token && holder !== overtake && leaseDeadline > nowMs
  if (isHeld) {
    setFlag(bytes, 'waited', true)
    return { kind: 'held', holder, remainingMs: leaseDeadline - nowMs, nowMs }
  }
  // The waited flag stays: callers that waited for the last holder now wait for this one.
  setLease(bytes, nowMs + leaseMs, token)
  step.space.liveUntil(address, nowMs + leaseMs + SLACK_MS)
  return { kind: 'granted', nowMs }
}

export function renew(
  step: Step,
  address: EntryAddress,
  { token, leaseMs }: { readonly token: number; readonly leaseMs: number },
): boolean {
  const found = find(step, address)
  if (found?.header.leaseToken !== token) return false
  const nowMs = nowMsOf(step)
  setLease(found.bytes, nowMs + leaseMs, token)
  step.space.liveUntil(address, nowMs + leaseMs + SLACK_MS)
  return true
}

export function release(step: Step, address: EntryAddress, token: number): void {
  const found = find(step, address)
  if (found?.header.leaseToken !== token) return
  const { flags } = found.header
  if ((flags & FLAG.empty) !== 0 && (flags & FLAG.settling) === 0) {
    step.space.delete(address)
  } else {
    setFlag(found.bytes, 'waited', false)
    clearLease(found.bytes)
  }
  wakeWaiters(step, address, flags)
}

export function fill(
  step: Step,
  address: EntryAddress,
  {
    token,
    bytes,
    livesMs,
  }: { readonly token: number; readonly bytes: Uint8Array; readonly livesMs: number },
): FillReply {
  const nowMs = nowMsOf(step)
  const found = find(step, address)
  if (found?.header.leaseToken !== token) return { stored: false, livesMs: 0, nowMs }
  const windowMs = windowOf(found.header, nowMs)
  const lifeMs = windowMs > 0 ? Math.min(livesMs, windowMs) : livesMs
  const stored = Buffer.from(bytes)
  stampCreation(stored, nowMs)
  if (windowMs > 0) {
    // A value that was read in a settle window may be the old one, so it must not be kept longer than the window. The flag stays, so
    // that it also limits a refresh within the window: created-at plus lives-for is still its end.
    limitLife(stored, lifeMs)
    if (decodeHeader(stored)?.livesForMs === windowMs) setFlag(stored, 'settling', true)
  }
  step.space.set(address, stored, nowMs + lifeMs)
  wakeWaiters(step, address, found.header.flags)
  return { stored: true, livesMs: lifeMs, nowMs }
}

/** One of several puts. */
export interface PutItem {
  readonly address: EntryAddress
  readonly request: PutRequest
}

/** One of several evictions; its addresses are of one partition. */
export interface EvictItem {
  readonly addresses: readonly [EntryAddress, ...EntryAddress[]]
  readonly request: EvictRequest
}

/** Replaces an entry; evicts instead when the key was, or may have been, changed after the writer looked. */
export function put(step: Step, address: EntryAddress, request: PutRequest): PutReply {
  const [reply] = putTogether(step, [{ address, request }])
  return reply as PutReply
}

/** The same for several entries, none of them twice; those of one partition share a number. */
export function putTogether(step: Step, puts: readonly PutItem[]): readonly PutReply[] {
  const isUrgent = puts.some(({ address }) => isWaitedFor(step, address))
  const outcomes = puts.map(({ address, request }) => replace(step, address, request))
  const replies = new Map<number, MutationReply>()
  for (const { address } of inPartitions(puts, ({ address }) => address.partition)) {
    const { partition } = address
    if (replies.has(partition)) continue
    const own = puts.filter((each) => each.address.partition === partition)
    replies.set(
      partition,
      record(
        step,
        partition,
        own.map((each) => each.address.key),
        { isUrgent },
      ),
    )
  }
  return puts.map(({ address: { partition } }, i) => ({
    ...(replies.get(partition) as MutationReply),
    stored: outcomes[i] === true,
  }))
}

function replace(
  step: Step,
  address: EntryAddress,
  { bytes, livesMs, since }: PutRequest,
): boolean {
  const nowMs = nowMsOf(step)
  const { partition, key } = address
  const log = step.space.log(partition, step.nowUs)
  if (since !== 0 && log.mayHaveChanged(key, since)) {
    remove(step, address, 0)
    return false
  }
  const stored = Buffer.from(bytes)
  stampCreation(stored, nowMs)
  step.space.set(address, stored, nowMs + livesMs)
  return true
}

/** Evicts entries of one partition, and with them every lease on them. */
export function evict(
  step: Step,
  addresses: readonly [EntryAddress, ...EntryAddress[]],
  request: EvictRequest,
): MutationReply {
  const { soft, settleMs } = request
  const isUrgent = addresses.some((address) => isWaitedFor(step, address))
  for (const address of addresses) {
    if (soft) soften(step, address, settleMs)
    else remove(step, address, settleMs)
  }
  const keys = addresses.map(({ key }) => key)
  return record(step, addresses[0].partition, keys, {
    isUrgent,
    ...(soft ? { soft } : {}),
    ...(settleMs > 0 ? { settleMs } : {}),
  })
}

/** The same for several: those of one partition that follow on each other and are evicted in one way share a number. */
export function evictTogether(
  step: Step,
  evictions: readonly EvictItem[],
): readonly MutationReply[] {
  const replies = new Map<EvictItem, MutationReply>()
  let together: EvictItem[] = []
  const end = (): void => {
    const [first] = together
    if (first === undefined) return
    const all = together.flatMap(({ addresses }) => addresses)
    const reply = evict(step, all as [EntryAddress, ...EntryAddress[]], first.request)
    for (const each of together) replies.set(each, reply)
    together = []
  }
  for (const each of inPartitions(evictions, ({ addresses }) => addresses[0].partition)) {
    const [first] = together
    const isSame =
      first?.addresses[0].partition === each.addresses[0].partition &&
      first.request.soft === each.request.soft &&
      first.request.settleMs === each.request.settleMs
    if (!isSame) end()
    together.push(each)
  }
  end()
  return evictions.map((each) => replies.get(each) as MutationReply)
}

function inPartitions<Item>(
  items: readonly Item[],
  partitionOf: (item: Item) => number,
): readonly Item[] {
  return items.toSorted((a, b) => partitionOf(a) - partitionOf(b))
}

function soften(step: Step, address: EntryAddress, settleMs: number): void {
  const found = find(step, address)
  if (found === undefined || (found.header.flags & FLAG.empty) !== 0) {
    remove(step, address, settleMs)
    return
  }
  const nowMs = nowMsOf(step)
  const windowMs = Math.max(settleMs, windowOf(found.header, nowMs))
  softenEntry(found.bytes, found.header, { nowMs, windowMs })
  if (windowMs > 0) step.space.liveUntil(address, nowMs + windowMs)
}

/**
 * Removes an entry with its lease; leaves a marker if a settle window is open. An earlier window that ends later stays: the source cannot
 * be trusted again before its end.
 */
export function remove(step: Step, address: EntryAddress, settleMs: number): void {
  const nowMs = nowMsOf(step)
  const windowMs = Math.max(settleMs, windowOf(find(step, address)?.header, nowMs))
  if (windowMs === 0) {
    step.space.delete(address)
    return
  }
  const marker = emptyHeader(FLAG.empty | FLAG.settling)
  stampCreation(marker, nowMs)
  setLife(marker, windowMs)
  step.space.set(address, marker, nowMs + windowMs)
}

export function record(
  step: Step,
  partition: number,
  keys: readonly string[],
  { isUrgent, ...how }: Pick<KeysMessage, 'soft' | 'settleMs'> & { readonly isUrgent: boolean },
): MutationReply {
  const minted = step.space.log(partition, step.nowUs).record(keys, step.nowUs)
  step.space.noteHead(partition, minted.seq)
  // Wakes waiters too: nodes take a changed key for the end of the lease on it.
  const announcedWithinMs = step.announce(
    { kind: 'keys', partition, ...minted, keys, ...how },
    isUrgent,
  )
  const reply = { partition, ...minted, nowMs: nowMsOf(step) }
  return announcedWithinMs === undefined ? reply : { ...reply, announcedWithinMs }
}

function wakeWaiters(step: Step, { key }: EntryAddress, flags: number): void {
  if ((flags & FLAG.waited) !== 0) step.publish({ kind: 'wake', key })
}

/** Tells whether somebody filled the entry after the caller looked. */
function isNews(header: EntryHeader, seen: number, nowMs: number): boolean {
  if ((header.flags & (FLAG.empty | FLAG.stale)) !== 0 || header.commit === seen) return false
  return header.createdAt + header.freshForMs > nowMs
}
