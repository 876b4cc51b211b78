/** A doubly linked queue of slots, which knows how many there are and how large they are together. */

import { type Links, NO_SLOT, type Slots } from './slots.ts'

export class SlotQueue {
  /** `NO_SLOT` when it is empty. */
  oldest = NO_SLOT
  count = 0
  bytes = 0
  #newest = NO_SLOT
  readonly #slots: Slots
  readonly #links: Links

  constructor(slots: Slots, links: Links) {
    this.#slots = slots
    this.#links = links
  }

  /** Adds one that is in no queue of these links, as the newest. */
  add(slot: number): void {
    const { newer, older } = this.#links
    older[slot] = this.#newest
    newer[slot] = NO_SLOT
    if (this.#newest === NO_SLOT) this.oldest = slot
    else newer[this.#newest] = slot
    this.#newest = slot
    this.count += 1
    this.bytes += this.#slots.sizeOf(slot)
  }

  remove(slot: number): void {
    const { newer, older } = this.#links
    const above = newer[slot] as number
    const below = older[slot] as number
    if (above === NO_SLOT) this.#newest = below
    else older[above] = below
    if (below === NO_SLOT) this.oldest = above
    else newer[below] = above
    this.count -= 1
    this.bytes -= this.#slots.sizeOf(slot)
  }
}
