/** The latest so many keys. A ring and their places in it: a Set's first element gets dear to find where many were deleted. */

import type { Key } from './policy.ts'

export class KeyMemory {
  readonly #ring: (Key | undefined)[]
  readonly #places = new Map<Key, number>()
  #next = 0

  constructor(room: number) {
    this.#ring = new Array<Key | undefined>(Math.max(1, room)).fill(undefined)
  }

  add(key: Key): void {
    this.take(key)
    const oldest = this.#ring[this.#next]
    if (oldest !== undefined) this.#places.delete(oldest)
    this.#ring[this.#next] = key
    this.#places.set(key, this.#next)
    this.#next = (this.#next + 1) % this.#ring.length
  }

  /** Forgets the key; true when it was remembered. */
  take(key: Key): boolean {
    const place = this.#places.get(key)
    if (place === undefined) return false
    this.#places.delete(key)
    this.#ring[place] = undefined
    return true
  }
}
