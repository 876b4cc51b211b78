/**
 * The order that keeps what is asked for often: S3-FIFO. A small queue that most newcomers do not outlive, a main one, and a
 * memory of keys that left the small one lately, which come back into the main one.
 *
 * Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP 2023, algorithm 1, with its
 * parameters: a tenth of the room for the small queue, as many remembered keys as the main queue has places. That counts
 * uses. Here it only comes to light whether there were any, so a newcomer has to be found used twice: after the first time it
 * goes through the small queue again.
 */

import { isFull, MOST_SPARED, type OrderOwner } from './order.ts'
import { SlotQueue } from './slot-queue.ts'
import { MARK, type Slots } from './slots.ts'

const SMALL_SHARE = 0.1
const MOST_USES = 3
/** So often a newcomer has to be found used. */
const USES_TO_STAY = 2
const QUEUED = MARK.small | MARK.main

type Place = typeof MARK.small | typeof MARK.main | typeof MARK.lately

export class FrequencyOrder {
  readonly #owner: OrderOwner
  readonly #slots: Slots
  readonly #small: SlotQueue
  readonly #main: SlotQueue
  readonly #lately: SlotQueue
  readonly #smallEntries: number
  readonly #smallBytes: number

  constructor(owner: OrderOwner) {
    const { slots, bounds } = owner
    this.#owner = owner
    this.#slots = slots
    this.#small = new SlotQueue(slots, slots.queues)
    this.#main = new SlotQueue(slots, slots.queues)
    this.#lately = new SlotQueue(slots, slots.queues)
    this.#smallEntries = Math.max(1, Math.round(bounds.maxEntries * SMALL_SHARE))
    this.#smallBytes = bounds.maxBytes * SMALL_SHARE
  }

  has(slot: number): boolean {
    return this.#slots.has(slot, QUEUED)
  }

  /** Lets a slot in that is in no queue, and others out for it. */
  add(slot: number): void {
    const isBack = this.#slots.has(slot, MARK.lately)
    this.remove(slot)
    this.#makeRoom(this.#slots.sizeOf(slot))
    this.#slots.uses[slot] = 0
    this.#enter(slot, isBack ? MARK.main : MARK.small)
  }

  /** Counts a use of one that is in a queue. */
  use(slot: number): void {
    const { uses } = this.#slots
    const count = uses[slot] as number
    if (count < MOST_USES) uses[slot] = count + 1
  }

  /** Takes it out from wherever it is, the memory included. */
  remove(slot: number): void {
    const place = this.#placeOf(slot)
    if (place === undefined) return
    this.#queueOf(place).remove(slot)
    this.#slots.unmark(slot, place)
  }

  /** Takes one out, lets its size be changed, and lets it in again where it was. */
  resize(slot: number, change: () => void): void {
    const place = this.#placeOf(slot)
    this.remove(slot)
    change()
    if (place === undefined) return
    if (place !== MARK.lately) this.#makeRoom(this.#slots.sizeOf(slot))
    this.#enter(slot, place)
  }

  #placeOf(slot: number): Place | undefined {
    if (this.#slots.has(slot, MARK.small)) return MARK.small
    if (this.#slots.has(slot, MARK.main)) return MARK.main
    return this.#slots.has(slot, MARK.lately) ? MARK.lately : undefined
  }

  #queueOf(place: Place): SlotQueue {
    if (place === MARK.small) return this.#small
    return place === MARK.main ? this.#main : this.#lately
  }

  #enter(slot: number, place: Place): void {
    this.#slots.mark(slot, place)
    this.#queueOf(place).add(slot)
  }

  #makeRoom(size: number): void {
    for (let spared = 0; isFull(this.#both(), size, this.#owner.bounds); ) {
      const isSpared = this.#isFromSmall()
        ? this.#leaveSmall(spared < MOST_SPARED)
        : this.#leaveMain(spared < MOST_SPARED)
      if (isSpared) spared += 1
    }
  }

  #isFromSmall(): boolean {
    if (this.#main.count === 0) return true
    return this.#small.count >= this.#smallEntries || this.#small.bytes >= this.#smallBytes
  }

  /** Returns whether the oldest stays, further back or in the main queue. */
  #leaveSmall(maySpare: boolean): boolean {
    const { uses } = this.#slots
    const slot = this.#small.oldest
    const before = uses[slot] as number
    this.#owner.settle(slot)
    const count = uses[slot] as number
    this.remove(slot)
    if (maySpare && count >= USES_TO_STAY) {
      uses[slot] = 0
      this.#enter(slot, MARK.main)
      return true
    }
    if (maySpare && count > before) {
      this.#enter(slot, MARK.small)
      return true
    }
    this.#remember(slot)
    this.#owner.left(slot)
    return false
  }

  /** Returns whether the oldest stays, as the newest. */
  #leaveMain(maySpare: boolean): boolean {
    const { uses } = this.#slots
    const slot = this.#main.oldest
    this.#owner.settle(slot)
    const count = uses[slot] as number
    this.remove(slot)
    if (maySpare && count > 0) {
      uses[slot] = count - 1
      this.#enter(slot, MARK.main)
      return true
    }
    this.#owner.left(slot)
    return false
  }

  #remember(slot: number): void {
    const lately = this.#lately
    this.#enter(slot, MARK.lately)
    const places = this.#owner.bounds.maxEntries - this.#smallEntries
    const most = Math.max(1, Math.min(places, this.#small.count + this.#main.count))
    while (lately.count > most) {
      const { oldest } = lately
      this.remove(oldest)
      this.#owner.left(oldest)
    }
  }

  #both(): { readonly count: number; readonly bytes: number } {
    return {
      count: this.#small.count + this.#main.count,
      bytes: this.#small.bytes + this.#main.bytes,
    }
  }
}
