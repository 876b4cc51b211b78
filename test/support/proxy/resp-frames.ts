/**
 * Cuts a byte stream of the Redis protocol (RESP2 and RESP3) into whole top-level frames.
 *
 * The protocol is a prefix notation: every element says how many follow it. So one counter of elements still open is
 * enough to find where a frame ends, however deep it is nested, and a scan that ran out of bytes goes on where it stopped.
 */

/** A parsed frame; simple strings, numbers beyond integers and booleans stay the bytes of their line. */
export type RespValue = Buffer | number | null | RespError | readonly RespValue[]

/** An error reply. */
export interface RespError {
  readonly error: string
}

const CRLF = '\r\n'
const MAX_LINE_LENGTH = 64 * 1024

/** Takes chunks as they arrive and gives back the frames that are complete. */
export class FrameScanner {
  #chunks: Buffer[] = []
  #length = 0
  /** Where the scan goes on. */
  #at = 0
  /** Elements of the frame under scan that are still to come. */
  #open = 1
  /** How many bytes there must be before another look can get further. */
  #wanted = 1

  /**
   * @returns the raw bytes of every frame that ends in this chunk, in order
   * @throws RangeError when this isn't the Redis protocol
   */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    // A large value arrives in many chunks: without this, each would be joined with all before it.
    if (this.#length < this.#wanted) return []
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    const frames: Buffer[] = []
    while (this.#scan(bytes)) {
      frames.push(bytes.subarray(0, this.#at))
      bytes = bytes.subarray(this.#at)
      this.#at = 0
      this.#open = 1
    }
    this.#chunks = [bytes]
    this.#length = bytes.length
    return frames
  }

  /** Tells whether a frame ends within these bytes. */
  #scan(bytes: Buffer): boolean {
    while (this.#open > 0) {
      const head = readHead(bytes, this.#at)
      const end = head === undefined ? Number.POSITIVE_INFINITY : head.end
      if (head === undefined || end > bytes.length) {
        this.#wanted = head === undefined ? bytes.length + 1 : end
        return false
      }
      this.#at = end
      this.#open += head.followers - 1
    }
    return true
  }
}

/**
 * Parses one whole frame.
 *
 * @throws RangeError when the bytes are not exactly one frame
 */
export function parseFrame(frame: Buffer): RespValue {
  const { value, end } = parseAt(frame, 0)
  if (end !== frame.length)
    throw new RangeError(`Not one RESP frame: it ends at ${end} of ${frame.length}`)
  return value
}

/** Name and arguments of a command as a client sent it; inline commands too. */
export function commandParts(frame: Buffer): readonly RespValue[] {
  if (frame[0] === 0x2a) return itemsOf(parseFrame(frame))
  return frame
    .toString()
    .trim()
    .split(/\s+/)
    .map((part) => Buffer.from(part))
}

/** The elements of an aggregate, none for anything else. */
export function itemsOf(value: RespValue): readonly RespValue[] {
  return Array.isArray(value) ? value : []
}

interface Head {
  readonly type: string
  /** The rest of its line. */
  readonly line: string
  /** Where the element ends, its own bulk included. */
  readonly end: number
  /** Elements that belong to the same frame and come after it. */
  readonly followers: number
}

/** Reads an element without what it contains; undefined when its line isn't there yet. */
function readHead(bytes: Buffer, at: number): Head | undefined {
  const lineEnd = bytes.indexOf(CRLF, at, 'latin1')
  if (lineEnd < 0) {
    if (bytes.length - at > MAX_LINE_LENGTH) throw new RangeError('Not RESP: a line without end')
    return undefined
  }
  const type = String.fromCharCode(bytes[at] as number)
  const line = bytes.toString('latin1', at + 1, lineEnd)
  const next = lineEnd + CRLF.length
  if ('$=!'.includes(type)) {
    const length = lengthOf(line)
    return { type, line, end: length < 0 ? next : next + length + CRLF.length, followers: 0 }
  }
  if ('*~>%|'.includes(type)) {
    return { type, line, end: next, followers: followersOf(type, Math.max(lengthOf(line), 0)) }
  }
  return { type, line, end: next, followers: 0 }
}

/** Maps count pairs; attributes are pairs in front of the element they describe. */
function followersOf(type: string, count: number): number {
  if (type === '%') return 2 * count
  if (type === '|') return 2 * count + 1
  return count
}

function lengthOf(line: string): number {
  const length = Number(line)
  if (line === '' || !Number.isInteger(length) || length < -1) {
    throw new RangeError(`Not RESP: the length '${line.slice(0, 20)}'`)
  }
  return length
}

function parseAt(bytes: Buffer, at: number): { readonly value: RespValue; readonly end: number } {
  const head = readHead(bytes, at)
  if (head === undefined || head.end > bytes.length)
    throw new RangeError('Not one RESP frame: it is cut off')
  const { type, line, end, followers } = head
  if ('$=!'.includes(type)) {
    if (line === '-1') return { value: null, end }
    const bulk = bytes.subarray(end - CRLF.length - Number(line), end - CRLF.length)
    return { value: type === '!' ? { error: bulk.toString() } : bulk, end }
  }
  if ('*~>%|'.includes(type))
    return line === '-1' ? { value: null, end } : parseItems(bytes, end, followers)
  if (type === ':') return { value: Number(line), end }
  if (type === '-') return { value: { error: line }, end }
  if (type === '_') return { value: null, end }
  return { value: Buffer.from(line, 'latin1'), end }
}

function parseItems(
  bytes: Buffer,
  from: number,
  count: number,
): { readonly value: RespValue; readonly end: number } {
  const items: RespValue[] = []
  let end = from
  for (let index = 0; index < count; index++) {
    const item = parseAt(bytes, end)
    items.push(item.value)
    end = item.end
  }
  return { value: items, end }
}
