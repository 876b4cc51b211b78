/** Reads keys back into what they were made of, knowing their written form and nothing of the code that makes them. */

/** What has no order of its own, as a list that compares equal in any order. */
export function bag(items: readonly unknown[]): readonly string[] {
  return items.map(shown).sort()
}

/** Reads a default key that was not shortened. Containers but arrays come back as `{ object | map | set: bag }`. */
export function readArguments(key: string): readonly unknown[] {
  return key.startsWith("'") ? [key.slice(1)] : new ArgumentReader(key).readAll()
}

class ArgumentReader {
  readonly #key: string
  #at = 1

  constructor(key: string) {
    this.#key = key
  }

  readAll(): readonly unknown[] {
    return this.#readItems('')
  }

  #readItems(close: string): readonly unknown[] {
    const items: unknown[] = []
    while (this.#at < this.#key.length && !this.#skip(close)) {
      items.push(this.#readValue())
      if (!this.#skip(',')) throw new SyntaxError(`No comma at ${this.#at} of ${this.#key}`)
    }
    return items
  }

  #readValue(): unknown {
    if (this.#skip("'")) return this.#readText()
    if (this.#skip('[')) return this.#readItems(']')
    if (this.#skip('{')) return { object: bag(inPairs(this.#readItems('}'))) }
    if (this.#skip('M{')) return { map: bag(inPairs(this.#readItems('}'))) }
    if (this.#skip('S{')) return { set: bag(this.#readItems('}')) }
    if (this.#skip('D')) return { date: Number(this.#readText()) }
    if (this.#skip('BUint8Array(')) return { bytes: this.#readText().slice(0, -1) }
    return readWord(this.#readText())
  }

  #readText(): string {
    let text = ''
    while (!this.#key.startsWith(',', this.#at)) {
      this.#skip('\\')
      text += this.#take(1)
    }
    return text
  }

  #skip(text: string): boolean {
    const isNext = text !== '' && this.#key.startsWith(text, this.#at)
    if (isNext) this.#at += text.length
    return isNext
  }

  #take(length: number): string {
    const taken = this.#key.slice(this.#at, this.#at + length)
    if (taken.length < length) throw new SyntaxError(`${this.#key} ends too early`)
    this.#at += length
    return taken
  }
}

/** Reads a key that was made of several parts. */
export function readParts(key: string): readonly string[] {
  const parts = ['']
  for (let at = 0; at < key.length; at++) {
    if (key.charAt(at) === ':') parts.push('')
    else parts.push(parts.pop() + key.charAt(key.charAt(at) === '\\' ? ++at : at))
  }
  return parts
}

/** Reads the two slots of a template key `{0}…{1}` with `middle` between. */
export function readSlots(key: string, middle: string): readonly unknown[] {
  const end = String.fromCodePoint(middle.codePointAt(0) ?? 0)
  let first = ''
  let at = 0
  while (!key.startsWith(end, at)) {
    if (at >= key.length) throw new SyntaxError(`${key} has no ${end}`)
    if (key.charAt(at) === '\\') at++
    const next = key.startsWith(end, at) ? end : key.charAt(at)
    first += next
    at += next.length
  }
  return [first, key.slice(at + middle.length)].map(readSlot)
}

function readSlot(written: string): unknown {
  if (written.startsWith("'")) return written.slice(1)
  const words: Readonly<Record<string, unknown>> = {
    true: true,
    false: false,
    null: null,
    undefined,
  }
  if (Object.hasOwn(words, written)) return words[written]
  if (/^-?\d+n$/.test(written)) return BigInt(written.slice(0, -1))
  return written === 'NaN' || String(Number(written)) === written ? Number(written) : written
}

function readWord(word: string): unknown {
  const words: Readonly<Record<string, unknown>> = { T: true, F: false, U: undefined, L: null }
  if (Object.hasOwn(words, word)) return words[word]
  return word.endsWith('n') ? BigInt(word.slice(0, -1)) : Number(word)
}

function inPairs(items: readonly unknown[]): readonly unknown[] {
  return Array.from({ length: items.length / 2 }, (_, i) => [items[i * 2], items[i * 2 + 1]])
}

function shown(item: unknown): string {
  if (Array.isArray(item)) return `[${item.map(shown).join()}]`
  if (typeof item === 'object' && item !== null) {
    return `{${Object.entries(item)
      .map(([name, inner]) => `${name}:${shown(inner)}`)
      .join()}}`
  }
  return typeof item === 'string' ? JSON.stringify(item) : `${typeof item} ${item}`
}
