/** The numbers a server gives out. */

/**
 * Returns the next number of a history: above the last one and not below the server's clock in microseconds, so that a
 * history that was lost and begun anew never repeats a number.
 *
 * @throws RangeError beyond 2^53, where the next number would be the same one.
 */
export function mint(last: number, nowUs: number): number {
  const minted = Math.max(last + 1, nowUs)
  if (Number.isSafeInteger(minted)) return minted
  throw new RangeError('A sequence has left the whole numbers')
}
