/** A map of things that come and go; see `PassingList` for why a plain Map is not suitable. Its Map holds places only. */

import { PassingList } from './passing-list.ts'

export class PassingMap<Key, Value> {
  readonly #places = new Map<Key, number>()
  readonly #values = new PassingList<Value>()

  get size(): number {
    return this.#places.size
  }

  get(key: Key): Value | undefined {
    const place = this.#places.get(key)
    return place === undefined ? undefined : this.#values.get(place)
  }

  set(key: Key, value: Value): void {
    const place = this.#places.get(key)
    if (place === undefined) this.#places.set(key, this.#values.add(value))
    else this.#values.set(place, value)
  }

  delete(key: Key): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    this.#places.delete(key)
    this.#values.delete(place)
  }

  /** The present values, in no particular order. */
  values(): readonly Value[] {
    return this.#values.values()
  }
}
