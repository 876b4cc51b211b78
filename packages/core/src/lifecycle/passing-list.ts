/**
 * A list of things that come and go: work under way, and nothing that is kept for long.
 *
 * V8's Map and Set make a new table after so many insertions and link the old table to it. Once one table has become old, it
 * keeps all later ones alive until the next full collection, together with everything they held: each piece of work under way
 * would be copied twice and then fill the old generation. Here, a deleted value is cleared at once.
 */

export class PassingList<Value> {
  readonly #values: (Value | undefined)[] = []
  readonly #free: number[] = []

  get(place: number): Value | undefined {
    return this.#values[place]
  }

  /** Adds a value; returns its place, with which it can be deleted, once. */
  add(value: Value): number {
    const place = this.#free.pop() ?? this.#values.length
    this.#values[place] = value
    return place
  }

  set(place: number, value: Value): void {
    this.#values[place] = value
  }

  delete(place: number): void {
    this.#values[place] = undefined
    this.#free.push(place)
  }

  /** The present values, in no particular order. */
  values(): readonly Value[] {
    return this.#values.filter((value) => value !== undefined)
  }
}
