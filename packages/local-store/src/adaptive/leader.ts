/**
 * Which of the two orders knows better what to keep.
 *
 * A key that is asked for, and that only one of them has kept, is a point for that one. Enough points ahead, and it leads.
 * Subramanian, Smaragdakis, Loh: "Adaptive caches: effective shaping of cache behavior to workloads", MICRO 2006.
 */

export type OrderName = 'recency' | 'frequency'

/** Points, by room, that make the other one lead: fewer are noise, and changing costs what only the old one had kept. */
const LEAD_SHARE = 0.3
const LEAST_LEAD = 16

export class Leader {
  name: OrderName = 'recency'
  readonly #lead: number
  /** Of `frequency` over `recency`. */
  #points = 0

  constructor(maxEntries: number) {
    this.#lead = Math.max(LEAST_LEAD, Math.round(maxEntries * LEAD_SHARE))
  }

  award(order: OrderName): void {
    const points = this.#points + (order === 'frequency' ? 1 : -1)
    this.#points = Math.max(-this.#lead, Math.min(this.#lead, points))
    if (this.#points === this.#lead) this.name = 'frequency'
    if (this.#points === -this.#lead) this.name = 'recency'
  }
}
