/** What of a board's rule says how its scores are kept. */

import type { BoardRule } from '../contracts/board-provider.ts'

/**
 * A text that is the same for two rules exactly if what one of them keeps can be read by the other one. Time zones are compared as they are
 * spelled, because what two versions of Node make of another spelling may differ; but not by capitals, which mean nothing in their names.
 */
export function boardShape({ best, ties, decimals, per, timeZone }: BoardRule): string {
  return [best, ties, decimals, per, timeZone.toLowerCase()].join(' ')
}
