/**
 * A map of what comes and goes: reads under way, not what is kept.
 *
 * V8's Map makes a new table every so many insertions and links the old table to it. Once one table has become old, all
 * later ones are kept by it until the next full collection, dead or not, and everything they held along with them: each
 * read under way would be copied twice and then fill the old generation. So the Map holds places in a list, where what goes
 * is cleared at once.
 */

export class PassingMap<Key, Value> {
  readonly #places = new Map<Key, number>()
  readonly #values: (Value | undefined)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#places.size
  }

  get(key: Key): Value | undefined {
    const place = this.#places.get(key)
    return place === undefined ? undefined : this.#values[place]
  }

  set(key: Key, value: Value): void {
    let place = this.#places.get(key)
    if (place === undefined) {
      place = this.#free.pop() ?? this.#values.length
      this.#places.set(key, place)
    }
    this.#values[place] = value
  }

  delete(key: Key): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    this.#places.delete(key)
    this.#values[place] = undefined
    this.#free.push(place)
  }
}
