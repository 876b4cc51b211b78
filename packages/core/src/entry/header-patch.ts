/** Changes single fields of a stored entry's header in place, as a server does without rewriting the payload. */

import { FLAG, FORMAT_VERSION, HEADER_BYTES, MAGIC, OFFSET } from './envelope.ts'

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
