/**
 * The most hits anybody could have had who knew the future: what is asked for again the latest goes first, and what is
 * not asked for sooner than everything held is not even kept.
 *
 * Bélády: "A study of replacement algorithms for a virtual-storage computer", IBM Systems Journal 1966.
 */

/** Returns the hit ratio. `nextUses` is {@link nextUsesOf} the trace. */
export function optimalRatio(keys: Int32Array, nextUses: Int32Array, capacity: number): number {
  const held = new Set<number>()
  // The latest next use is on top. Those that have come are below all that are to come, and never seen again.
  const upcoming = new LatestFirst(keys.length)
  let hits = 0
  for (let now = 0; now < keys.length; now++) {
    const key = keys[now] ?? 0
    const next = nextUses[now] ?? keys.length
    if (held.has(key)) hits += 1
    else held.add(key)
    if (next < keys.length) upcoming.push(next)
    else held.delete(key)
    if (held.size > capacity) held.delete(keys[upcoming.pop()] ?? 0)
  }
  return hits / keys.length
}

/** For each access, the index of the next one of the same key; the trace's length where there is none. */
export function nextUsesOf(keys: Int32Array): Int32Array {
  const nextUses = new Int32Array(keys.length)
  const seen = new Map<number, number>()
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i] ?? 0
    nextUses[i] = seen.get(key) ?? keys.length
    seen.set(key, i)
  }
  return nextUses
}

/** A binary heap of whole numbers. */
class LatestFirst {
  readonly #items: Int32Array
  #size = 0

  constructor(most: number) {
    this.#items = new Int32Array(most)
  }

  push(item: number): void {
    let at = this.#size
    this.#size += 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = this.#items[parent] ?? 0
      if (above >= item) break
      this.#items[at] = above
      at = parent
    }
    this.#items[at] = item
  }

  pop(): number {
    const top = this.#items[0] ?? 0
    this.#size -= 1
    const item = this.#items[this.#size] ?? 0
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= this.#size) break
      const right = left + 1
      const isRightLater =
        right < this.#size && (this.#items[right] ?? 0) > (this.#items[left] ?? 0)
      const child = isRightLater ? right : left
      const below = this.#items[child] ?? 0
      if (below <= item) break
      this.#items[at] = below
      at = child
    }
    this.#items[at] = item
    return top
  }
}
