/** Changes single fields of a stored entry's header in place, as a server does without rewriting the payload. */

import {
  type EntryHeader,
  FLAG,
  FORMAT_VERSION,
  HEADER_BYTES,
  MAGIC,
  MAX_LOAD_MS,
  OFFSET,
} from './envelope.ts'

/** Returns a header without a value: no flags but the given ones, no commit, no lease. */
export function emptyHeader(flags: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes[0] = MAGIC
  bytes[1] = FORMAT_VERSION
  bytes[OFFSET.flags] = flags
  return bytes
}

export function setFlag(bytes: Buffer, flag: keyof typeof FLAG, isOn: boolean): void {
  const flags = bytes.readUInt8(OFFSET.flags)
  bytes[OFFSET.flags] = isOn ? flags | FLAG[flag] : flags & ~FLAG[flag]
}

export function setLease(bytes: Buffer, deadline: number, token: number): void {
  bytes.writeUIntBE(deadline, OFFSET.leaseDeadline, 6)
  bytes.writeUIntBE(token, OFFSET.leaseToken, 6)
}

export function clearLease(bytes: Buffer): void {
  setLease(bytes, 0, 0)
}

export function stampCreation(bytes: Buffer, nowMs: number): void {
  bytes.writeUIntBE(nowMs, OFFSET.createdAt, 6)
}

export function setLife(bytes: Buffer, livesForMs: number): void {
  bytes.writeUIntBE(livesForMs, OFFSET.livesFor, 5)
}

/** Shortens every lifetime to at most `ms`. */
export function limitLife(bytes: Buffer, ms: number): void {
  for (const at of [OFFSET.freshFor, OFFSET.staleFor, OFFSET.livesFor]) {
    bytes.writeUIntBE(Math.min(ms, bytes.readUIntBE(at, 5)), at, 5)
  }
}

/** Returns a copy whose lifetimes are shorter by `waitedMs`, and whose load seems to have taken `saidMs` longer. */
export function agedCopy(entry: Uint8Array, waitedMs: number, saidMs: number): Buffer {
  const bytes = Buffer.from(entry)
  for (const at of [OFFSET.freshFor, OFFSET.staleFor, OFFSET.livesFor]) {
    bytes.writeUIntBE(Math.max(0, bytes.readUIntBE(at, 5) - waitedMs), at, 5)
  }
  const loadMs = Math.min(MAX_LOAD_MS, bytes.readUIntBE(OFFSET.loadMs, 3) + saidMs)
  bytes.writeUIntBE(loadMs, OFFSET.loadMs, 3)
  return bytes
}

/** How much of an entry's settle window is left, ms; 0 when there is none. It ends with the entry's life, or as `setWindow` says. */
export function windowOf(header: EntryHeader | undefined, nowMs: number): number {
  if (header === undefined || (header.flags & FLAG.settling) === 0) return 0
  const isStale = (header.flags & FLAG.stale) !== 0
  return Math.max(0, header.createdAt + (isStale ? header.freshForMs : header.livesForMs) - nowMs)
}

/** Softens an entry: its bytes stay, marked stale; its lease is void. A `windowMs` above 0 is its settle window from `nowMs`. */
export function softenEntry(
  bytes: Buffer,
  header: EntryHeader,
  { nowMs, windowMs }: { readonly nowMs: number; readonly windowMs: number },
): void {
  setFlag(bytes, 'waited', false)
  setFlag(bytes, 'stale', true)
  setFlag(bytes, 'settling', windowMs > 0)
  clearLease(bytes)
  if (windowMs <= 0) return
  // A stale entry has no freshness to lose, and may be kept longer than its window.
  bytes.writeUIntBE(Math.max(0, nowMs + windowMs - header.createdAt), OFFSET.freshFor, 5)
}
