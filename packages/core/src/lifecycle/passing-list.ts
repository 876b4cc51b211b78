/**
 * A list of what comes and goes: work under way, not what is kept.
 *
 * V8's Map and Set make a new table every so many insertions and link the old table to it. Once one table has become old,
 * all later ones are kept by it until the next full collection, dead or not, and everything they held along with them: each
 * piece of work under way would be copied twice and then fill the old generation. Here, what goes is cleared at once.
 */

export class PassingList<Value> {
  readonly #values: (Value | undefined)[] = []
  readonly #free: number[] = []

  get(place: number): Value | undefined {
    return this.#values[place]
  }

  /** Adds a value; returns its place, by which it is deleted, once. */
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

  /** What is there now, in no particular order. */
  values(): readonly Value[] {
    return this.#values.filter((value) => value !== undefined)
  }
}
