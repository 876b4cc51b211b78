/**
 * How many variants of a target are kept, so that a client that sends ever new values of a field fills no memory: further ones are
 * not cached. Each process counts for itself, and forgets the targets it has not seen for longest.
 */

const MOST_TARGETS = 2_000
/** Variants of one target. */
export const MOST_VARIANTS = 32

export class Variants {
  readonly #known = new Map<string, Set<string>>()

  /** Whether a variant of a target may be kept; notes it. */
  admits(target: string, variant: string): boolean {
    const known = this.#known.get(target) ?? new Set<string>()
    // The target that was seen last comes last.
    this.#known.delete(target)
    this.#known.set(target, known)
    if (this.#known.size > MOST_TARGETS) {
      for (const [oldest] of this.#known) {
        this.#known.delete(oldest)
        break
      }
    }
    if (known.has(variant)) return true
    if (known.size >= MOST_VARIANTS) return false
    known.add(variant)
    return true
  }
}
