/** Least recently used, by lru-cache itself, with the listener that the local store hangs into it. */

import { LRUCache } from 'lru-cache'
import type { Key, Policy, PolicyCache } from './policy.ts'

export const lru: Policy = { name: 'LRU (lru-cache)', create: (capacity) => new Lru(capacity) }

class Lru implements PolicyCache {
  readonly #entries: LRUCache<Key, object>
  #dropped = 0

  constructor(capacity: number) {
    this.#entries = new LRUCache<Key, object>({
      max: capacity,
      dispose: (_value, _key, reason) => {
        if (reason === 'evict') this.#dropped += 1
      },
    })
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: Key): object | undefined {
    return this.#entries.get(key)
  }

  set(key: Key, value: object): void {
    this.#entries.set(key, value)
  }
}
