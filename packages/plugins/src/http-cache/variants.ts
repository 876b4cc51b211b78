/**
 * How many variants of a target are kept, so that a client that sends ever new values of a field fills no memory: further ones are
 * not cached. Each process counts for itself, and forgets the targets it has not seen for longest.
 */

const MOST_TARGETS = 2_000
/** Variants of one target. */
export const MOST_VARIANTS = 32
/** One that nobody has asked for, for so long, gives its place to a new one, ms: a stranger who takes all places has them no longer. */
const IDLE_MS = 60_000

export class Variants {
  /** By target, then by variant: when it was asked for. What was asked for last comes last. */
  readonly #known = new Map<string, Map<string, number>>()

  /** Whether a variant of a target may be kept; notes it. */
  admits(target: string, variant: string, nowMs: number): boolean {
    const known = this.#known.get(target) ?? new Map<string, number>()
    this.#known.delete(target)
    this.#known.set(target, known)
    if (this.#known.size > MOST_TARGETS) dropFirst(this.#known)
    if (!known.delete(variant) && known.size >= MOST_VARIANTS) {
      const [idlest = nowMs] = known.values()
      if (nowMs - idlest < IDLE_MS) return false
      dropFirst(known)
    }
    known.set(variant, nowMs)
    return true
  }
}

function dropFirst(map: Map<string, unknown>): void {
  for (const [first] of map) {
    map.delete(first)
    return
  }
}
