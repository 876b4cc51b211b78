/** What the two orders of the adaptive store have in common: their bounds, and whom they ask and tell. */

import type { Bounds } from '../bounds.ts'
import type { Slots } from './slots.ts'

/** Whom an order works for. */
export interface OrderOwner {
  readonly slots: Slots
  readonly bounds: Bounds
  /** Finds out whether the slot's entry was used since this was last asked; if so, marks it and counts the use. */
  settle(slot: number): void
  /** An order has let go of the slot. */
  left(slot: number): void
}

/** How many slots in a row are spared because they were used: a `set` must never take long. */
export const MOST_SPARED = 64

/** Tells whether something has to go before one of `size` bytes may come. */
export function isFull(
  { count, bytes }: { readonly count: number; readonly bytes: number },
  size: number,
  { maxEntries, maxBytes }: Bounds,
): boolean {
  return count > 0 && (count >= maxEntries || bytes + size > maxBytes)
}
