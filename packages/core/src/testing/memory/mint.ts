/** The numbers a server gives out. */

/** How far apart two numbers may be that are minted while the clock is behind, µs: two histories rarely meet in one. */
const SPREAD_US = 4_096

/**
 * Returns the next number of a history: the server's clock in microseconds, so that a history that was lost and begun anew
 * never repeats a number. Where the clock was set back, it is above the last one by what the clock makes of it: counting on
 * would give the numbers of a lost history to other changes.
 *
 * @throws RangeError beyond 2^53, where the next number would be the same one.
 */
export function mint(last: number, nowUs: number): number {
  const minted = nowUs > last ? nowUs : last + 1 + (nowUs % SPREAD_US)
  if (Number.isSafeInteger(minted)) return minted
  throw new RangeError('A sequence has left the whole numbers')
}
