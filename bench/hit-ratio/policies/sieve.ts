/**
 * SIEVE: one queue and a hand that wanders from the oldest to the newest entry, spares what was used since it last came
 * by and drops the first that was not.
 *
 * Zhang, Yang, Yue, Vigfusson, Rashmi: "SIEVE is simpler than LRU", NSDI 2024.
 */

import type { Key, Policy, PolicyCache } from './policy.ts'
import { type Linked, Queue } from './queue.ts'

export const sieve: Policy = { name: 'SIEVE', create: (capacity) => new Sieve(capacity) }

interface Entry extends Linked<Entry> {
  readonly key: Key
  value: object
  isUsed: boolean
}

class Sieve implements PolicyCache {
  readonly #capacity: number
  readonly #entries = new Map<Key, Entry>()
  readonly #queue = new Queue<Entry>()
  #hand: Entry | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: Key): object | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    entry.isUsed = true
    return entry.value
  }

  set(key: Key, value: object): void {
    if (this.#entries.size >= this.#capacity) this.#dropOne()
    const entry: Entry = { key, value, isUsed: false, newer: undefined, older: undefined }
    this.#entries.set(key, entry)
    this.#queue.add(entry)
  }

  #dropOne(): void {
    let entry = this.#hand ?? this.#queue.oldest
    while (entry?.isUsed) {
      entry.isUsed = false
      entry = entry.newer ?? this.#queue.oldest
    }
    if (entry === undefined) return
    this.#hand = entry.newer
    this.#queue.remove(entry)
    this.#entries.delete(entry.key)
  }
}
