/** Says how often something happened, a few times at once and then seldom: for what may happen at every read. */

/** How many kinds are told apart; what is of further ones is told as one. */
const MOST_KINDS = 1_000
const OTHERS = ''

interface Told {
  /** When the first of the present period was told. */
  since: number
  /** In the present period. */
  told: number
  /** Since one was last told. */
  untold: number
}

export class Paced {
  readonly #periodMs: number
  readonly #most: number
  readonly #kinds = new Map<string, Told>()

  /** Of each kind, `most` are told of in `periodMs`. */
  constructor(periodMs: number, most: number) {
    this.#periodMs = periodMs
    this.#most = most
  }

  /** Counts one of a kind at `now` (monotonic ms). Returns how many are to be told of, this one included; 0 for not yet. */
  take(kind: string, now: number): number {
    const known = this.#kinds.get(kind)
    if (known === undefined) {
      if (this.#kinds.size >= MOST_KINDS && kind !== OTHERS) return this.take(OTHERS, now)
      this.#kinds.set(kind, { since: now, told: 1, untold: 0 })
      return 1
    }
    known.untold += 1
    if (now - known.since >= this.#periodMs) {
      known.since = now
      known.told = 0
    }
    if (known.told >= this.#most) return 0
    const count = known.untold
    known.told += 1
    known.untold = 0
    return count
  }
}
