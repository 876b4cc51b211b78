/**
 * A queue of things that come and go: work under way, the oldest first.
 *
 * An array that is filled and emptied again and again has V8 make new room for its items each time. Measured: with one call
 * after the other, everything that the calls held then passed into the old generation and stayed there until the next full
 * collection. Here the room is kept, and a place that is given up is cleared at once; see `PassingList`.
 */

const ROOM_AT_FIRST = 16
/** A queue that was longer than this gives its room back when it is empty. */
const MOST_ROOM_KEPT = 1_024

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
