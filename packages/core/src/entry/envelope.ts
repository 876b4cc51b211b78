/**
 * The stored form of an entry: one string, header first.
 *
 * A fixed-size header lets a store's scripts look at an entry's lease, flags and commit id, and patch them, whatever the
 * payload's size. Integers are big-endian. What follows the header: step ids (one byte each), tags, payload.
 *
 * | at | size | field |
 * |---|---|---|
 * | 0 | 1 | magic |
 * | 1 | 1 | format version |
 * | 2 | 1 | flags |
 * | 3 | 1 | number of codec steps |
 * | 4 | 6 | commit id: unique to this write of this key |
 * | 10 | 8 | birth: tag clock known before the load began (float64) |
 * | 18 | 6 | created at, ms since the epoch on the store's clock; stamped by the store |
 * | 24 | 5 | fresh for, ms after creation |
 * | 29 | 5 | may be served while revalidating for, ms after creation |
 * | 34 | 5 | lives for, ms after creation |
 * | 39 | 3 | measured load time, ms |
 * | 42 | 2 | bytes of the tags section |
 * | 44 | 4 | fingerprint of the cache's `version` |
 * | 48 | 6 | lease deadline, ms since the epoch on the store's clock; 0 for none |
 * | 54 | 6 | lease token; 0 for none |
 *
 * An entry with both flags `negative` and `error` is a *mark*: loads of its key are not shared, and it has no payload.
 */

/** Bytes before the step ids. */
export const HEADER_BYTES = 60
export const MAGIC = 0xca
export const FORMAT_VERSION = 1

/** Bits of the flags byte. */
export const FLAG = {
  /** The source has nothing: the payload is the encoded `null` or `undefined`. */
  negative: 1,
  /** The payload is an encoded error. */
  error: 2,
  /** Evicted softly: no longer fresh whatever the times say, kept for stale-if-error. */
  stale: 4,
  /** Somebody waits for the lease to end. */
  waited: 8,
  /** Only a header: there is a lease or a settle window, but no value. */
  empty: 16,
  /** Left by an evict with a settle window: fills live no longer than created-at plus lives-for. */
  settling: 32,
  /** Written on purpose (`set`, `@CachePut`), and not by a load. */
  put: 64,
  /** Loaded by a refresh: other nodes were told, where they can be, and an entry without it says nothing about that. */
  refreshed: 128,
} as const

/** What stands in the place of a value whose loads are not shared: no payload, and both of these. */
export const MARK = FLAG.negative | FLAG.error

/** Tells whether flags are those of a mark. */
export function isMark(flags: number): boolean {
  return (flags & MARK) === MARK
}

/** Offsets that stores patch or compare. */
export const OFFSET = {
  flags: 2,
  commit: 4,
  createdAt: 18,
  freshFor: 24,
  staleFor: 29,
  livesFor: 34,
  loadMs: 39,
  leaseDeadline: 48,
  leaseToken: 54,
} as const

/** An entry's header and where its payload begins. */
export interface EntryHeader {
  readonly flags: number
  readonly commit: number
  readonly birth: number
  readonly createdAt: number
  readonly freshForMs: number
  readonly staleForMs: number
  readonly livesForMs: number
  readonly loadMs: number
  readonly schema: number
  readonly leaseDeadline: number
  readonly leaseToken: number
}

/** A whole entry taken apart; `payload` and `steps` are views of the bytes read. */
export interface StoredEntry extends EntryHeader {
  readonly steps: Uint8Array
  readonly tags: readonly string[]
  readonly payload: Uint8Array
}

/** What a writer says about an entry; the store stamps the creation time. */
export interface EntryDraft {
  readonly flags: number
  readonly commit: number
  readonly birth: number
  readonly freshForMs: number
  readonly staleForMs: number
  readonly livesForMs: number
  readonly loadMs: number
  readonly schema: number
  readonly steps: readonly number[]
  readonly tags: readonly string[]
  readonly payload: Uint8Array
}

/** The longest load time that a header can hold. */
export const MAX_LOAD_MS = 0xff_ffff
const MAX_TAGS_BYTES = 0xffff
const NO_TAGS: readonly string[] = Object.freeze([])
const NO_BYTES = new Uint8Array(0)

/**
 * Returns the stored form of an entry.
 *
 * @throws RangeError when the tags take more than 65 535 bytes.
 */
export function encodeEntry(draft: EntryDraft): Buffer {
  const tags = encodeTags(draft.tags)
  const head = HEADER_BYTES + draft.steps.length + tags.length
  const bytes = Buffer.allocUnsafe(head + draft.payload.length)
  bytes[0] = MAGIC
  bytes[1] = FORMAT_VERSION
  bytes[2] = draft.flags
  bytes[3] = draft.steps.length
  bytes.writeUIntBE(draft.commit, OFFSET.commit, 6)
  bytes.writeDoubleBE(draft.birth, 10)
  bytes.writeUIntBE(0, OFFSET.createdAt, 6)
  bytes.writeUIntBE(draft.freshForMs, OFFSET.freshFor, 5)
  bytes.writeUIntBE(draft.staleForMs, OFFSET.staleFor, 5)
  bytes.writeUIntBE(draft.livesForMs, OFFSET.livesFor, 5)
  bytes.writeUIntBE(Math.min(MAX_LOAD_MS, Math.max(0, Math.round(draft.loadMs))), OFFSET.loadMs, 3)
  bytes.writeUInt16BE(tags.length, 42)
  bytes.writeUInt32BE(draft.schema, 44)
  bytes.fill(0, OFFSET.leaseDeadline, HEADER_BYTES)
  bytes.set(draft.steps, HEADER_BYTES)
  bytes.set(tags, HEADER_BYTES + draft.steps.length)
  bytes.set(draft.payload, head)
  return bytes
}

/** Returns the header, or `undefined` when the bytes are not an entry of this format. */
export function decodeHeader(bytes: Uint8Array): EntryHeader | undefined {
  return isEntry(bytes) ? readFields(bytes) : undefined
}

/** Returns the entry taken apart, or `undefined` when the bytes are not one. */
export function decodeEntry(bytes: Uint8Array): StoredEntry | undefined {
  if (!isEntry(bytes)) return undefined
  const tags = field.tags(bytes)
  if (tags === undefined) return undefined
  return { ...readFields(bytes), steps: field.steps(bytes), tags, payload: field.payload(bytes) }
}

/** Tells whether bytes begin with a header of this format. `field` may be used for such bytes only. */
export function isEntry(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_BYTES && bytes[0] === MAGIC && bytes[1] === FORMAT_VERSION
}

function readFields(bytes: Uint8Array): EntryHeader {
  return {
    flags: field.flags(bytes),
    commit: field.commit(bytes),
    birth: field.birth(bytes),
    createdAt: field.createdAt(bytes),
    freshForMs: field.freshForMs(bytes),
    staleForMs: field.staleForMs(bytes),
    livesForMs: field.livesForMs(bytes),
    loadMs: field.loadMs(bytes),
    schema: field.schema(bytes),
    leaseDeadline: uint48At(bytes, OFFSET.leaseDeadline),
    leaseToken: uint48At(bytes, OFFSET.leaseToken),
  }
}

/** Reads single fields of a stored entry: a remote hit needs them once each, and no object that holds them all. */
export const field = {
  flags: (bytes: Uint8Array): number => byteAt(bytes, OFFSET.flags),
  commit: (bytes: Uint8Array): number => uint48At(bytes, OFFSET.commit),
  birth: (bytes: Uint8Array): number => asBuffer(bytes).readDoubleBE(10),
  createdAt: (bytes: Uint8Array): number => uint48At(bytes, OFFSET.createdAt),
  freshForMs: (bytes: Uint8Array): number => uint40At(bytes, OFFSET.freshFor),
  staleForMs: (bytes: Uint8Array): number => uint40At(bytes, OFFSET.staleFor),
  livesForMs: (bytes: Uint8Array): number => uint40At(bytes, OFFSET.livesFor),
  loadMs: (bytes: Uint8Array): number => uint24At(bytes, OFFSET.loadMs),
  leaseToken: (bytes: Uint8Array): number => uint48At(bytes, OFFSET.leaseToken),
  schema: (bytes: Uint8Array): number => uint24At(bytes, 44) * 0x100 + byteAt(bytes, 47),

  /** Ids of the codec steps, first applied first. A view of the bytes. */
  steps(bytes: Uint8Array): Uint8Array {
    const end = stepsEnd(bytes)
    return end === HEADER_BYTES ? NO_BYTES : bytes.subarray(HEADER_BYTES, end)
  },

  /** `undefined` when the bytes do not hold what the header promises. */
  tags(bytes: Uint8Array): readonly string[] | undefined {
    const from = stepsEnd(bytes)
    const to = payloadStart(bytes)
    if (to > bytes.length) return undefined
    return from === to ? NO_TAGS : decodeTags(asBuffer(bytes), from, to)
  },

  /** A view of the bytes. To be used only if `tags` did not return `undefined`. */
  payload: (bytes: Uint8Array): Uint8Array => bytes.subarray(payloadStart(bytes)),
}

function stepsEnd(bytes: Uint8Array): number {
  return HEADER_BYTES + byteAt(bytes, 3)
}

function payloadStart(bytes: Uint8Array): number {
  return stepsEnd(bytes) + byteAt(bytes, 42) * 0x100 + byteAt(bytes, 43)
}

// Written out, because they run about ten times per remote read, and Buffer's readers of odd widths check and branch.

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}

function uint24At(bytes: Uint8Array, at: number): number {
  return (byteAt(bytes, at) << 16) | (byteAt(bytes, at + 1) << 8) | byteAt(bytes, at + 2)
}

function uint40At(bytes: Uint8Array, at: number): number {
  return byteAt(bytes, at) * 0x1_0000_0000 + uint24At(bytes, at + 1) * 0x100 + byteAt(bytes, at + 4)
}

function uint48At(bytes: Uint8Array, at: number): number {
  return uint24At(bytes, at) * 0x100_0000 + uint24At(bytes, at + 3)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function encodeTags(tags: readonly string[]): Buffer {
  if (tags.length === 0) return Buffer.alloc(0)
  const parts: Buffer[] = []
  for (const tag of tags) {
    const text = Buffer.from(tag, 'utf8')
    const length = Buffer.allocUnsafe(2)
    length.writeUInt16BE(text.length)
    parts.push(length, text)
  }
  const bytes = Buffer.concat(parts)
  if (bytes.length > MAX_TAGS_BYTES) {
    throw new RangeError(`The tags of an entry take ${bytes.length} bytes, above ${MAX_TAGS_BYTES}`)
  }
  return bytes
}

function decodeTags(view: Buffer, from: number, to: number): readonly string[] | undefined {
  const tags: string[] = []
  let at = from
  while (at < to) {
    if (at + 2 > to) return undefined
    const end = at + 2 + view.readUInt16BE(at)
    if (end > to) return undefined
    tags.push(view.toString('utf8', at + 2, end))
    at = end
  }
  return tags
}
