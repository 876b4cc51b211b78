/** What scripts are given of an entry. */

const BYTES_AS_HEAVY_AS_AN_ENTRY = 4_096

/** How much of a script's share an entry is; large ones go in calls of their own. */
export function entryWeight({ length }: Uint8Array): number {
  return Math.max(1, length / BYTES_AS_HEAVY_AS_AN_ENTRY)
}

/** Redis takes whole milliseconds, at least one. */
export function lifeOf(ms: number): number {
  return Math.max(1, Math.ceil(ms))
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
