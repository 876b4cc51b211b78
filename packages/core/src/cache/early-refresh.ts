/** When an entry is refreshed ahead of its end, so that the nodes of a fleet do not all load it at once. */

/**
 * Draws how long after its creation an entry is calm, that is, before a hit refreshes it ahead: XFetch (Vattani et al.,
 * VLDB 2015), `end + Δ·β·ln(random)`.
 *
 * Drawn once per entry and node instead of at every read: the distribution over nodes is the same, and a hit stays one
 * comparison.
 */
export function calmFor(freshForMs: number, loadMs: number, beta: number): number {
  return beta === 0 ? freshForMs : freshForMs + loadMs * beta * Math.log(1 - Math.random())
}
