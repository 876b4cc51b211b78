/** What of Structured Fields (RFC 9651) is needed here: dictionaries of targeted fields, lists of Strings, and Strings to write. */

/** Values of a dictionary: an Integer, or true; other types are there and mean nothing here. */
export type Dictionary = ReadonlyMap<string, number | true | 'other'>

const KEY = /[a-z*][a-z0-9_\-.*]*/y
const INTEGER = /-?\d{1,15}(?![\d.])/y
const DECIMAL = /-?\d{1,12}\.\d{1,3}(?!\d)/y
const STRING = /"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y
const BYTES = /:[A-Za-z0-9+/=]*:/y
const BOOLEAN = /\?[01]/y
const SPACES = /[ ]*/y
const OPTIONAL_SPACE = /[ \t]*/y

class Reader {
  #at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return undefined
    this.#at = pattern.lastIndex
    return match
  }

  char(char: string): boolean {
    if (this.#text[this.#at] !== char) return false
    this.#at += 1
    return true
  }
}

/** Reads a dictionary; `undefined` where the field is not one as a whole, which means that it is to be ignored. */
export function readDictionary(lines: readonly string[]): Dictionary | undefined {
  const reader = new Reader(lines.join(', '))
  const found = new Map<string, number | true | 'other'>()
  reader.take(SPACES)
  while (!reader.isAtEnd) {
    const key = reader.take(KEY)?.[0]
    if (key === undefined) return undefined
    const value = reader.char('=') ? readMember(reader) : true
    if (value === undefined || !skipParameters(reader)) return undefined
    found.set(key, value)
    if (!nextMember(reader)) return undefined
  }
  return found
}

/** Reads a list of Strings; `undefined` where the field is none. Parameters are left out. */
export function readStrings(lines: readonly string[]): readonly string[] | undefined {
  const reader = new Reader(lines.join(', '))
  const found: string[] = []
  reader.take(SPACES)
  while (!reader.isAtEnd) {
    const text = reader.take(STRING)?.[1]
    if (text === undefined || !skipParameters(reader)) return undefined
    found.push(text.replaceAll(/\\(.)/g, '$1'))
    if (!nextMember(reader)) return undefined
  }
  return found
}

/** Returns a text as a String; `undefined` where it has characters that a String cannot hold. */
export function stringItem(text: string): string | undefined {
  if (!/^[\x20-\x7e]*$/.test(text)) return undefined
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}

/** False where what comes next is neither another member nor the end. */
function nextMember(reader: Reader): boolean {
  reader.take(OPTIONAL_SPACE)
  if (reader.isAtEnd) return true
  if (!reader.char(',')) return false
  reader.take(OPTIONAL_SPACE)
  return !reader.isAtEnd
}

function readMember(reader: Reader): number | true | 'other' | undefined {
  if (!reader.char('(')) return readItem(reader)
  for (;;) {
    reader.take(SPACES)
    if (reader.char(')')) return 'other'
    if (readItem(reader) === undefined || !skipParameters(reader)) return undefined
  }
}

function readItem(reader: Reader): number | true | 'other' | undefined {
  const integer = reader.take(INTEGER)
  if (integer !== undefined) return Number(integer[0])
  const boolean = reader.take(BOOLEAN)
  if (boolean !== undefined) return boolean[0] === '?1' ? true : 'other'
  const other = [DECIMAL, STRING, TOKEN, BYTES].some((pattern) => reader.take(pattern))
  return other ? 'other' : undefined
}

function skipParameters(reader: Reader): boolean {
  while (reader.char(';')) {
    reader.take(SPACES)
    if (reader.take(KEY) === undefined) return false
    if (reader.char('=') && readItem(reader) === undefined) return false
  }
  return true
}
