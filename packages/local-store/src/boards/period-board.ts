/**
 * One period of a board, in memory: members in their order. Together with `BoardTable` it is the model of the Redis scripts.
 *
 * The order is a sorted array: a place is found by halving, and a change moves what lies behind it.
 */

import type { BoardPart, BoardPlace, BoardReply, BoardRule } from '@larder/core/store'

export interface Held {
  readonly member: string
  readonly score: number
  /** Larger with each score that is taken: of equal scores it says which one was first. */
  readonly stamp: number
}

type Order = Pick<BoardRule, 'best' | 'ties'>

export class PeriodBoard {
  /** Until when it means something, ms since the epoch. */
  keptUntil = Number.NEGATIVE_INFINITY
  readonly #members = new Map<string, Held>()
  readonly #order: Order
  /** The best first. */
  readonly #sorted: Held[] = []

  constructor(order: Order) {
    this.#order = order
  }

  get size(): number {
    return this.#sorted.length
  }

  /** The best first. */
  get all(): readonly Held[] {
    return this.#sorted
  }

  get(member: string): Held | undefined {
    return this.#members.get(member)
  }

  put(held: Held): void {
    this.remove(held.member)
    this.#members.set(held.member, held)
    this.#sorted.splice(this.#placeOf(held), 0, held)
  }

  remove(member: string): boolean {
    const known = this.#members.get(member)
    if (known === undefined) return false
    this.#members.delete(member)
    this.#sorted.splice(this.#placeOf(known), 1)
    return true
  }

  /** Drops the worst ones beyond `keep`. */
  trim(keep: number): void {
    for (const { member } of this.#sorted.splice(keep)) this.#members.delete(member)
  }

  look(part: BoardPart): BoardReply {
    const count = this.size
    if (part.kind === 'range')
      return { count, places: this.#places(part.skip, part.skip + part.take) }
    const known = this.#members.get(part.member)
    if (known === undefined) return { count, places: [] }
    const at = this.#placeOf(known)
    return { count, places: this.#places(Math.max(0, at - part.each), at + part.each + 1) }
  }

  #places(from: number, to: number): readonly BoardPlace[] {
    const places: BoardPlace[] = []
    let standard = 1
    let dense = 0
    let last: number | undefined
    for (const [at, { member, score }] of this.#sorted.slice(0, to).entries()) {
      if (score !== last) {
        standard = at + 1
        dense += 1
      }
      last = score
      if (at >= from) places.push({ member, score, ordinal: at + 1, standard, dense })
    }
    return places
  }

  /** Where it is, or would be. */
  #placeOf(held: Held): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.#sorted[middle]
      if (other !== undefined && this.#compare(other, held) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #compare(a: Held, b: Held): number {
    const { best, ties } = this.#order
    if (a.score !== b.score) return best === 'highest' ? b.score - a.score : a.score - b.score
    if (a.stamp !== b.stamp) return ties === 'first' ? a.stamp - b.stamp : b.stamp - a.stamp
    return Buffer.compare(Buffer.from(a.member), Buffer.from(b.member))
  }
}
