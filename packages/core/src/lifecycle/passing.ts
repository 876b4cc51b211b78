/**
 * Containers of things that come and go: work under way, and nothing that is kept for long.
 *
 * V8's Map and Set make a new table after so many insertions and link the old table to it. Once one table has become old, it
 * keeps all later ones alive until the next full collection, together with everything they held: each piece of work under way
 * would be copied twice and then fill the old generation. An array that is filled and emptied again and again has V8 make new
 * room for its items each time, with the same effect. Here the room is kept, and a deleted value is cleared at once.
 */

/** A list; a value is deleted by the place that it was given. */
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

/** A map; its Map holds places only. */
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

const ROOM_AT_FIRST = 16
/** A queue that was longer than this gives its room back when it is empty. */
const MOST_ROOM_KEPT = 1_024

/** A queue, the oldest first. */
export class PassingQueue<Value> {
  /** A ring; its length is a power of two. */
  #places = emptyPlaces<Value>(ROOM_AT_FIRST)
  #first = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): Value | undefined {
    return this.#places[this.#first]
  }

  /** The item so many places behind the first. */
  at(index: number): Value | undefined {
    return index < this.#size ? this.#places[this.#placeOf(index)] : undefined
  }

  push(value: Value): void {
    if (this.#size === this.#places.length) this.#grow()
    this.#places[this.#placeOf(this.#size)] = value
    this.#size += 1
  }

  /** Removes the first item, if there is one. */
  dropFirst(): void {
    if (this.#size === 0) return
    this.#places[this.#first] = undefined
    this.#first = this.#placeOf(1)
    this.#size -= 1
    if (this.#size === 0 && this.#places.length > MOST_ROOM_KEPT) {
      this.#places = emptyPlaces(ROOM_AT_FIRST)
      this.#first = 0
    }
  }

  #placeOf(index: number): number {
    return (this.#first + index) & (this.#places.length - 1)
  }

  #grow(): void {
    const places = emptyPlaces<Value>(2 * this.#places.length)
    for (let i = 0; i < this.#size; i++) places[i] = this.at(i)
    this.#places = places
    this.#first = 0
  }
}

function emptyPlaces<Value>(room: number): (Value | undefined)[] {
  return new Array<Value | undefined>(room).fill(undefined)
}
