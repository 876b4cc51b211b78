/** The steps on one entry. Everything rests on the header: who removes or replaces an entry removes the lease on it. */

import {
  type ClaimReply,
  type ClaimRequest,
  clearLease,
  decodeHeader,
  type EntryAddress,
  type EntryHeader,
  emptyHeader,
  type FillReply,
  FLAG,
  limitLife,
  setFlag,
  setLease,
  setLife,
  softenEntry,
  stampCreation,
  windowOf,
} from '@larder/core/store'
import { bytesOf, type Step } from './step.ts'

/** An entry outlives its lease a little, so that a fill at the last moment still finds its token. */
const SLACK_MS = 1_000
/** Expired rows removed by the way, a write. */
const SWEEP = 20

interface Found {
  readonly bytes: Buffer
  readonly header: EntryHeader
}

export async function claim(
  step: Step,
  { key }: EntryAddress,
  request: ClaimRequest,
): Promise<ClaimReply> {
  const { token, leaseMs, seen, overtake } = request
  const { nowMs } = step
  const found = await find(step, key)
  if (found === undefined) {
    const bytes = emptyHeader(FLAG.empty)
    setLease(bytes, nowMs + leaseMs, token)
    await write(step, key, bytes, leaseMs + SLACK_MS)
    return { kind: 'granted', nowMs }
  }
  const { header, bytes } = found
  const isValue = (header.flags & (FLAG.empty | FLAG.stale)) === 0
  if (isValue && header.commit !== seen && header.createdAt + header.freshForMs > nowMs) {
    return { kind: 'filled', bytes, nowMs }
  }
  const { leaseToken: holder, leaseDeadline } = header
  if (holder !== 0 && holder !== token && holder !== overtake && leaseDeadline > nowMs) {
    setFlag(bytes, 'waited', true)
    await rewrite(step, key, bytes)
    return { kind: 'held', holder, remainingMs: leaseDeadline - nowMs, nowMs }
  }
  setLease(bytes, nowMs + leaseMs, token)
  await rewrite(step, key, bytes, leaseMs + SLACK_MS)
  return { kind: 'granted', nowMs }
}

export async function renew(
  step: Step,
  key: string,
  token: number,
  leaseMs: number,
): Promise<boolean> {
  const found = await find(step, key)
  if (found?.header.leaseToken !== token) return false
  setLease(found.bytes, step.nowMs + leaseMs, token)
  await rewrite(step, key, found.bytes, leaseMs + SLACK_MS)
  return true
}

export async function release(step: Step, key: string, token: number): Promise<void> {
  const found = await find(step, key)
  if (found?.header.leaseToken !== token) return
  const { flags } = found.header
  if ((flags & FLAG.empty) !== 0 && (flags & FLAG.settling) === 0) await drop(step, key)
  else {
    setFlag(found.bytes, 'waited', false)
    clearLease(found.bytes)
    await rewrite(step, key, found.bytes)
  }
  if ((flags & FLAG.waited) !== 0) await step.publish({ kind: 'wake', key })
}

export async function fill(
  step: Step,
  key: string,
  loaded: { readonly token: number; readonly bytes: Uint8Array; readonly livesMs: number },
): Promise<FillReply> {
  const { nowMs } = step
  const found = await find(step, key)
  if (found?.header.leaseToken !== loaded.token) return { stored: false, livesMs: 0, nowMs }
  const windowMs = windowOf(found.header, nowMs)
  const livesMs = windowMs > 0 ? Math.min(loaded.livesMs, windowMs) : loaded.livesMs
  const stored = Buffer.from(loaded.bytes)
  stampCreation(stored, nowMs)
  if (windowMs > 0) {
    limitLife(stored, livesMs)
    if (decodeHeader(stored)?.livesForMs === windowMs) setFlag(stored, 'settling', true)
  }
  await write(step, key, stored, livesMs)
  if ((found.header.flags & FLAG.waited) !== 0) await step.publish({ kind: 'wake', key })
  return { stored: true, livesMs, nowMs }
}

/** Stores bytes under a key, stamped. */
export async function store(
  step: Step,
  key: string,
  bytes: Uint8Array,
  livesMs: number,
): Promise<void> {
  const stored = Buffer.from(bytes)
  stampCreation(stored, step.nowMs)
  await write(step, key, stored, livesMs)
}

/** Removes an entry and its lease; leaves a marker where a settle window stands. */
export async function remove(step: Step, key: string, settleMs: number): Promise<void> {
  const found = await find(step, key)
  const windowMs = Math.max(settleMs, windowOf(found?.header, step.nowMs))
  if (windowMs === 0) {
    await drop(step, key)
    return
  }
  const marker = emptyHeader(FLAG.empty | FLAG.settling)
  stampCreation(marker, step.nowMs)
  setLife(marker, windowMs)
  await write(step, key, marker, windowMs)
}

/** Marks an entry stale and voids its lease; the bytes stay for when loads fail, with a settle window where one stands. */
export async function soften(step: Step, key: string, settleMs: number): Promise<void> {
  const found = await find(step, key)
  if (found === undefined || (found.header.flags & FLAG.empty) !== 0) {
    await remove(step, key, settleMs)
    return
  }
  const { nowMs } = step
  const windowMs = Math.max(settleMs, windowOf(found.header, nowMs))
  softenEntry(found.bytes, found.header, { nowMs, windowMs })
  await rewrite(step, key, found.bytes, windowMs)
}

/** Finds a live entry and locks it until the step is over. Bytes of another format count as absent. */
async function find(step: Step, key: string): Promise<Found | undefined> {
  const [row] = await step.query<{ bytes: Uint8Array }>(
    `select bytes from larder_entries where namespace = $1 and key = $2 and expires_at > $3 for update`,
    [step.namespace, bytesOf(key), step.nowMs],
  )
  if (row === undefined) return undefined
  const bytes = Buffer.from(row.bytes)
  const header = decodeHeader(bytes)
  return header === undefined ? undefined : { bytes, header }
}

async function write(step: Step, key: string, bytes: Buffer, livesMs: number): Promise<void> {
  await step.query(
    `insert into larder_entries values ($1, $2, $3, $4)
     on conflict (namespace, key) do update set bytes = excluded.bytes, expires_at = excluded.expires_at`,
    [step.namespace, bytesOf(key), bytes, step.nowMs + livesMs],
  )
  await step.query(
    `delete from larder_entries where ctid in (
       select ctid from larder_entries where expires_at <= $1 limit ${SWEEP} for update skip locked)`,
    [step.nowMs],
  )
}

/** Writes back what `find` locked; its life is never shortened. */
async function rewrite(step: Step, key: string, bytes: Buffer, atLeastMs = 0): Promise<void> {
  await step.query(
    `update larder_entries set bytes = $3, expires_at = greatest(expires_at, $4) where namespace = $1 and key = $2`,
    [step.namespace, bytesOf(key), bytes, step.nowMs + atLeastMs],
  )
}

async function drop(step: Step, key: string): Promise<void> {
  await step.query('delete from larder_entries where namespace = $1 and key = $2', [
    step.namespace,
    bytesOf(key),
  ])
}
