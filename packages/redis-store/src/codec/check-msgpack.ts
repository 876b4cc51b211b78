/**
 * Checks MessagePack bytes before they are decoded: complete, exactly one value, nothing nested absurdly, and none of
 * the extensions, which msgpackr would turn into calls of constructors that the bytes name.
 *
 * One pass without recursion or allocation for ordinary data. Lengths are checked against the bytes that are left, so a
 * header that promises four thousand million items is refused at once.
 */

const MAX_DEPTH = 1_100

/** How many values are still to come at each level above. Shared by all checks, because a check is synchronous. */
const open = new Float64Array(MAX_DEPTH)

/** @throws Error when the bytes are not exactly one acceptable value. */
export function checkMsgpack(bytes: Uint8Array): void {
  const end = bytes.length
  const view = bytes
  let at = 0
  // Values still to come at the current level; the levels above are kept in `open`.
  let left = 1
  let depth = 0
  for (;;) {
    while (left === 0) {
      if (depth === 0) {
        if (at === end) return
        throw new Error('There are bytes after the value')
      }
      depth -= 1
      left = open[depth] as number
    }
    left -= 1
    if (at >= end) throw new Error('The value is incomplete')
    const token = view[at++] as number
    let children = 0
    if (token < 0x80 || token >= 0xe0) continue
    if (token < 0x90) children = 2 * (token & 0x0f)
    else if (token < 0xa0) children = token & 0x0f
    else if (token < 0xc0) {
      at += token & 0x1f
      if (at > end) throw new Error('A text is incomplete')
      continue
    } else {
      const size = FIXED[token - 0xc0] as number
      if (size === REFUSED) throw new Error(`Token ${token} is not accepted`)
      if (size >= 0) {
        at += size
        if (at > end) throw new Error('The value is incomplete')
        continue
      }
      const width = -size
      const count = readCount(view, at, width, end)
      at += width
      if (token < 0xdc) {
        at += count
        if (at > end) throw new Error('A text or binary is incomplete')
        continue
      }
      children = token >= 0xde ? 2 * count : count
    }
    // Every value takes a byte at least.
    if (children > end - at) throw new Error('A container promises more than there is')
    if (children === 0) continue
    if (depth >= MAX_DEPTH) throw new Error('The value is nested too deeply')
    open[depth] = left
    depth += 1
    left = children
  }
}

const REFUSED = 255

/** For tokens 0xc0 to 0xdf: bytes that follow; negative: width of a length that follows; REFUSED: extensions and 0xc1. */
const FIXED = [
  0, // nil
  REFUSED,
  0, // false
  0, // true
  -1, // bin 8
  -2, // bin 16
  -4, // bin 32
  REFUSED, // ext 8
  REFUSED, // ext 16
  REFUSED, // ext 32
  4, // float 32
  8, // float 64
  1, // uint 8
  2, // uint 16
  4, // uint 32
  8, // uint 64
  1, // int 8
  2, // int 16
  4, // int 32
  8, // int 64
  REFUSED, // fixext 1
  REFUSED, // fixext 2
  REFUSED, // fixext 4
  REFUSED, // fixext 8
  REFUSED, // fixext 16
  -1, // str 8
  -2, // str 16
  -4, // str 32
  -2, // array 16
  -4, // array 32
  -2, // map 16
  -4, // map 32
]

function readCount(bytes: Uint8Array, at: number, width: number, end: number): number {
  if (at + width > end) throw new Error('A length is incomplete')
  let count = 0
  for (let i = 0; i < width; i++) count = count * 256 + (bytes[at + i] as number)
  return count
}
