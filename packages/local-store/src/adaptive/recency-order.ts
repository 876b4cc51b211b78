/**
 * The order of use: who was used longest ago leaves.
 *
 * Uses come to light only when somebody looks, so an entry that was used early in its stay would pass for one that was used
 * late. It is looked at twice therefore: half-way, where the younger half ends, and at the end.
 */

import { isFull, MOST_SPARED, type OrderOwner } from './order.ts'
import { SlotQueue } from './slot-queue.ts'
import { MARK, type Slots } from './slots.ts'

export class RecencyOrder {
  readonly #owner: OrderOwner
  readonly #slots: Slots
  readonly #young: SlotQueue
  readonly #old: SlotQueue

  constructor(owner: OrderOwner) {
    this.#owner = owner
    this.#slots = owner.slots
    this.#young = new SlotQueue(owner.slots, owner.slots.recency)
    this.#old = new SlotQueue(owner.slots, owner.slots.recency)
  }

  has(slot: number): boolean {
    return this.#slots.has(slot, MARK.recent)
  }

  /** Lets a slot in as the newest that has no place here, and others out for it. */
  add(slot: number): void {
    this.#makeRoom(this.#slots.sizeOf(slot))
    this.#enterYoung(slot)
    this.#age()
  }

  /** Makes one that is here the newest again. */
  touch(slot: number): void {
    this.remove(slot)
    this.#enterYoung(slot)
  }

  remove(slot: number): void {
    if (!this.has(slot)) return
    const half = this.#slots.has(slot, MARK.old) ? this.#old : this.#young
    half.remove(slot)
    this.#slots.unmark(slot, MARK.recent | MARK.old | MARK.reused)
  }

  #enterYoung(slot: number): void {
    this.#slots.mark(slot, MARK.recent)
    this.#young.add(slot)
  }

  #makeRoom(size: number): void {
    for (let spared = 0; isFull(this.#both(), size, this.#owner.bounds); ) {
      const slot = this.#old.count > 0 ? this.#old.oldest : this.#young.oldest
      this.#owner.settle(slot)
      if (spared < MOST_SPARED && this.#slots.has(slot, MARK.reused)) {
        spared += 1
        this.touch(slot)
      } else {
        this.remove(slot)
        this.#owner.left(slot)
      }
    }
  }

  /** What was not used while it was in the younger half goes over to the older one. */
  #age(): void {
    const { maxEntries, maxBytes } = this.#owner.bounds
    const young = this.#young
    for (let spared = 0; young.count > maxEntries / 2 || young.bytes > maxBytes / 2; ) {
      const slot = young.oldest
      this.#owner.settle(slot)
      const isReused = this.#slots.has(slot, MARK.reused)
      this.remove(slot)
      if (spared < MOST_SPARED && isReused) {
        spared += 1
        this.#enterYoung(slot)
      } else {
        this.#slots.mark(slot, MARK.recent | MARK.old)
        this.#old.add(slot)
      }
    }
  }

  #both(): { readonly count: number; readonly bytes: number } {
    return {
      count: this.#young.count + this.#old.count,
      bytes: this.#young.bytes + this.#old.bytes,
    }
  }
}
