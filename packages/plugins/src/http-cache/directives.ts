/**
 * `Cache-Control` (RFC 9111, section 5.2), read strictly: names in any case, quoted strings as one value, and whatever is not well
 * formed is noticed. A directive that comes twice, or whose value is not what it takes, is *invalid*: its number counts as
 * 0, which means stale. So nothing is kept for longer because a field was hard to read.
 */

/** The directives of a field by name, in lower case: the value as text, or true without one. */
export interface Directives {
  readonly isEmpty: boolean
  has(name: string): boolean
  /** The number of seconds of a directive; `undefined` where it is absent, 0 where it is invalid. */
  seconds(name: string): number | undefined
}

/** RFC 9110: what a token is made of. */
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
const SPACE = /[ \t]*/y
const WORD = /[A-Za-z-]+/g
/** These count where they are not well placed, too. */
const FORBIDDING: ReadonlySet<string> = new Set(['no-cache', 'no-store', 'private'])
const DIGITS = /^\d+$/
/** RFC 9111, 1.2.2: larger numbers count as this. */
const MOST_SECONDS = 2_147_483_648
/** What can be said once only. */
const INVALID = Symbol('invalid')

type Value = string | true | typeof INVALID

/** Reads the lines of a field. Never throws. */
export function readDirectives(lines: readonly string[]): Directives {
  const found = new Map<string, Value>()
  for (const line of lines) readLine(line, found)
  return {
    isEmpty: found.size === 0,
    has: (name) => found.has(name),
    seconds(name) {
      const value = found.get(name)
      if (value === undefined) return undefined
      if (typeof value !== 'string' || !DIGITS.test(value)) return 0
      return Math.min(MOST_SECONDS, Number(value))
    },
  }
}

function readLine(line: string, found: Map<string, Value>): void {
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(line)
    if (match === null) return undefined
    at = pattern.lastIndex
    return match
  }
  while (at < line.length) {
    take(SPACE)
    if (line[at] === ',') {
      at += 1
      continue
    }
    const name = take(TOKEN)?.[0].toLowerCase()
    let value: Value = true
    if (name !== undefined && line[at] === '=') {
      at += 1
      value = take(QUOTED)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? take(TOKEN)?.[0] ?? INVALID
    }
    take(SPACE)
    const isWhole = at >= line.length || line[at] === ','
    // What follows up to the next comma belongs to it, and makes it invalid.
    if (!isWhole) {
      const from = at
      at = endOfMember(line, at)
      // Somebody may have meant what stands there, such as the second in `public; no-store`.
      for (const [word] of line.slice(from, at).matchAll(WORD))
        if (FORBIDDING.has(word.toLowerCase())) found.set(word.toLowerCase(), INVALID)
    }
    if (name === undefined) continue
    found.set(name, found.has(name) || !isWhole ? INVALID : value)
  }
}

/** The next comma that is not in a quoted string, or the end. */
function endOfMember(line: string, from: number): number {
  let isQuoted = false
  for (let at = from; at < line.length; at += 1) {
    const char = line[at]
    if (char === '"') isQuoted = !isQuoted
    else if (char === '\\' && isQuoted) at += 1
    else if (char === ',' && !isQuoted) return at
  }
  return line.length
}
