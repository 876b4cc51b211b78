/** Settle windows inside the entries of a plain key-value store: while one is open, no load is kept longer than it. */

import {
  decodeHeader,
  emptyHeader,
  FLAG,
  limitLife,
  setFlag,
  setLife,
  softenEntry,
  stampCreation,
  windowOf,
} from '@larder/core/store'

/** What the node itself limited ends this much before the window here at most, ms, and still tells of it. */
const SLACK_MS = 1_000

/** Bytes to be stored, and for how long. */
export interface Settled {
  readonly bytes: Buffer
  readonly livesMs: number
}

/** Returns what is left of the stored entry's window, or a longer one that is requested, ms; 0 for none. */
export function windowAfter(stored: Buffer | undefined, settleMs: number, nowMs: number): number {
  return Math.max(settleMs, windowOf(stored && decodeHeader(stored), nowMs))
}

/** Returns the marker of an evicted entry until its window ends. */
export function markerFor(windowMs: number, nowMs: number): Settled {
  const bytes = emptyHeader(FLAG.empty | FLAG.settling)
  stampCreation(bytes, nowMs)
  setLife(bytes, windowMs)
  return { bytes, livesMs: windowMs }
}

/** Limits a loaded entry to a window, and stores the window for the next load. */
export function limitedTo(windowMs: number, bytes: Buffer, livesMs: number): Settled {
  if (windowMs === 0) return { bytes, livesMs }
  const limitedMs = Math.min(livesMs, windowMs)
  limitLife(bytes, limitedMs)
  if (limitedMs >= windowMs - SLACK_MS) setFlag(bytes, 'settling', true)
  return { bytes, livesMs: limitedMs }
}

/** Marks an entry stale; `undefined` where there is nothing to keep. A window that outlives the entry keeps it. */
export function softened(
  bytes: Buffer | undefined,
  windowMs: number,
  nowMs: number,
): Settled | undefined {
  const header = bytes && decodeHeader(bytes)
  if (bytes === undefined || header === undefined || (header.flags & FLAG.empty) !== 0)
    return undefined
  softenEntry(bytes, header, { nowMs, windowMs })
  const leftMs = Math.max(windowMs, header.createdAt + header.livesForMs - nowMs)
  return leftMs > 0 ? { bytes, livesMs: leftMs } : undefined
}
