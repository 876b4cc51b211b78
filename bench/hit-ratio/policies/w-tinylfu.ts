/**
 * W-TinyLFU: newcomers pass through a small LRU window; out of it they get into the main part only in place of an entry
 * that was asked for less often. The main part is an LRU in two segments, for entries used once and more than once.
 *
 * Einziger, Friedman, Manes: "TinyLFU: A highly efficient cache admission policy", ACM Transactions on Storage 2017: a
 * hundredth for the window, four fifths of the rest protected. The adaptive one moves the border between window and main
 * part as the hit ratio tells it to: Einziger, Eytan, Friedman, Manes: "Adaptive software cache management",
 * Middleware 2018.
 */

import { FrequencySketch, hashOf } from './frequency-sketch.ts'
import { HillClimber } from './hill-climber.ts'
import type { Key, Policy, PolicyCache } from './policy.ts'
import { type Linked, Queue } from './queue.ts'

export const wTinyLfu: Policy = {
  name: 'W-TinyLFU',
  create: (capacity) => new WTinyLfu(capacity, undefined),
}

export const adaptiveWTinyLfu: Policy = {
  name: 'W-TinyLFU, adaptive',
  create: (capacity) => new WTinyLfu(capacity, new HillClimber(capacity)),
}

const WINDOW_SHARE = 0.01
const PROTECTED_SHARE = 0.8

interface Entry extends Linked<Entry> {
  readonly key: Key
  readonly hash: number
  value: object
  queue: Queue<Entry>
}

class WTinyLfu implements PolicyCache {
  readonly #capacity: number
  readonly #climber: HillClimber | undefined
  readonly #sketch: FrequencySketch
  readonly #entries = new Map<Key, Entry>()
  readonly #window = new Queue<Entry>()
  readonly #probation = new Queue<Entry>()
  readonly #protected = new Queue<Entry>()
  #windowRoom: number
  #protectedRoom = 0

  constructor(capacity: number, climber: HillClimber | undefined) {
    this.#capacity = capacity
    this.#climber = climber
    this.#sketch = new FrequencySketch(capacity)
    this.#windowRoom = Math.max(1, Math.round(capacity * WINDOW_SHARE))
    this.#share()
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: Key): object | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#sketch.count(entry.hash)
    if (this.#climber?.sees(true)) this.#climb(this.#climber)
    if (entry.queue !== this.#probation) {
      entry.queue.touch(entry)
      return entry.value
    }
    this.#move(entry, this.#protected)
    this.#demote()
    return entry.value
  }

  set(key: Key, value: object): void {
    const hash = hashOf(key)
    this.#sketch.count(hash)
    if (this.#climber?.sees(false)) this.#climb(this.#climber)
    const queue = this.#window
    const entry: Entry = { key, hash, value, queue, newer: undefined, older: undefined }
    this.#entries.set(key, entry)
    queue.add(entry)
    this.#settle()
  }

  /** Lets what the window has no room for compete for the main part. */
  #settle(): void {
    while (this.#window.size > this.#windowRoom) {
      const candidate = this.#window.oldest
      if (candidate === undefined) return
      this.#move(candidate, this.#probation)
      if (this.#entries.size > this.#capacity) this.#dropLoser(candidate)
    }
    while (this.#entries.size > this.#capacity) {
      const oldest = this.#probation.oldest ?? this.#protected.oldest ?? this.#window.oldest
      if (oldest === undefined) return
      this.#drop(oldest)
    }
  }

  #dropLoser(candidate: Entry): void {
    const oldest = this.#probation.oldest
    const victim = oldest === candidate ? (this.#protected.oldest ?? candidate) : oldest
    if (victim === undefined) return
    const isBetter = this.#sketch.frequency(candidate.hash) > this.#sketch.frequency(victim.hash)
    this.#drop(isBetter ? victim : candidate)
  }

  #climb(climber: HillClimber): void {
    const most = Math.max(1, this.#capacity - 1)
    this.#windowRoom = Math.min(most, Math.max(1, this.#windowRoom + climber.step()))
    this.#share()
    this.#demote()
    // Room that the window won is filled from the main part, or it would take as many misses to grow.
    while (this.#window.size < this.#windowRoom && this.#entries.size >= this.#capacity) {
      const entry = this.#probation.oldest ?? this.#protected.oldest
      if (entry === undefined) break
      this.#move(entry, this.#window)
    }
    while (this.#window.size > this.#windowRoom && this.#window.oldest !== undefined)
      this.#move(this.#window.oldest, this.#probation)
  }

  #share(): void {
    this.#protectedRoom = Math.floor((this.#capacity - this.#windowRoom) * PROTECTED_SHARE)
  }

  #demote(): void {
    while (this.#protected.size > this.#protectedRoom && this.#protected.oldest !== undefined)
      this.#move(this.#protected.oldest, this.#probation)
  }

  #move(entry: Entry, queue: Queue<Entry>): void {
    entry.queue.remove(entry)
    entry.queue = queue
    queue.add(entry)
  }

  #drop(entry: Entry): void {
    entry.queue.remove(entry)
    this.#entries.delete(entry.key)
  }
}
