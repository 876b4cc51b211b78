/**
 * How often a key was asked for lately, roughly and in little room: a count-min sketch whose counts are halved after
 * every ten capacities of uses.
 *
 * Einziger, Friedman, Manes: "TinyLFU: A highly efficient cache admission policy", ACM Transactions on Storage 2017.
 */

import type { Key } from './policy.ts'

const ROWS = 4
const COUNTERS_PER_ENTRY = 8
/** Popular enough: the paper's four bits. */
const MOST = 15
const USES_PER_ENTRY = 10

export class FrequencySketch {
  readonly #counts: Uint8Array
  readonly #mask: number
  readonly #usesBeforeHalving: number
  #uses = 0

  constructor(capacity: number) {
    const width = 2 ** Math.ceil(Math.log2(Math.max(64, capacity * COUNTERS_PER_ENTRY)))
    this.#counts = new Uint8Array(width)
    this.#mask = width - 1
    this.#usesBeforeHalving = capacity * USES_PER_ENTRY
  }

  /** Counts a use of the key with this hash. */
  count(hash: number): void {
    const step = stepOf(hash)
    let isCounted = false
    for (let row = 0, at = hash; row < ROWS; row++, at += step) {
      const place = at & this.#mask
      const count = this.#counts[place] ?? 0
      if (count === MOST) continue
      this.#counts[place] = count + 1
      isCounted = true
    }
    if (!isCounted) return
    this.#uses += 1
    if (this.#uses >= this.#usesBeforeHalving) this.#halve()
  }

  /** At least as often as it was counted, up to 15. */
  frequency(hash: number): number {
    const step = stepOf(hash)
    let least = MOST
    for (let row = 0, at = hash; row < ROWS; row++, at += step)
      least = Math.min(least, this.#counts[at & this.#mask] ?? 0)
    return least
  }

  #halve(): void {
    for (let i = 0; i < this.#counts.length; i++) this.#counts[i] = (this.#counts[i] ?? 0) >> 1
    this.#uses >>= 1
  }
}

/** 32 well-mixed bits of a key. */
export function hashOf(key: Key): number {
  if (typeof key === 'number') return mixed(key)
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  return mixed(hash)
}

/** Odd, so that a key's places differ. */
function stepOf(hash: number): number {
  return (Math.imul(hash, 0x9e3779b1) >>> 8) | 1
}

function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x7feb352d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
  return (hash ^ (hash >>> 16)) >>> 0
}
