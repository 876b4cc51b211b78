/** What spans may have of keys, tags and errors. */

import { createHash } from 'node:crypto'

export type ShownKeys = 'off' | 'hash' | 'plain'

/** How many keys a span names at most, because exporters send each span whole. */
const MOST = 16
/** Enough to tell the keys of an application apart. */
const HASH_DIGITS = 16

export class KeyWords {
  readonly #shown: ShownKeys

  constructor(shown: ShownKeys) {
    this.#shown = shown
  }

  get isSilent(): boolean {
    return this.#shown === 'off'
  }

  /** Messages of errors name keys: Larder's do, and others may. */
  get tellsMessages(): boolean {
    return this.#shown === 'plain'
  }

  one(key: string, namespace: string): string {
    return this.#shown === 'plain' ? key : hashOf(key, namespace)
  }

  many(keys: readonly string[], namespace: string): string[] | undefined {
    if (keys.length === 0) return undefined
    return keys.slice(0, MOST).map((key) => this.one(key, namespace))
  }
}

/** The same on every node, so that spans of one key can be found. It is not secret: anybody who guesses a key can check the guess. */
function hashOf(key: string, namespace: string): string {
  const hash = createHash('sha256').update(`${namespace}\0${key}`)
  return hash.digest('hex').slice(0, HASH_DIGITS)
}
