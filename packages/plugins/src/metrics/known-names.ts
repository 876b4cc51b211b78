/** Label values that come from names. Their number is limited, and they stay the same while the process runs. */

/** A name that no cache and no method can have; `stats()` uses the same one. */
export const OTHERS = '(others)'

/**
 * Names in the order in which they were first seen: a name that was told apart once stays so, because a counter that moves to
 * another series would seem to shrink.
 */
export class KnownNames {
  readonly #names = new Set<string>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** The name, or `OTHERS` when there are too many names. */
  of(name: string): string {
    if (this.#names.has(name)) return name
    if (this.#names.size >= this.#most || name === OTHERS) return OTHERS
    this.#names.add(name)
    return name
  }
}
