/**
 * Which keys were changed while a value for them was being made or written.
 *
 * A put needs to know whether its key was evicted or put by somebody else since it began, which may be a whole method ago,
 * and before its key was known. Where a store keeps a log, the store can tell for all nodes; this tells for what this node
 * did itself or heard of, which is all there is in process, and for values that stay here.
 *
 * Only what happens while a put is under way is noted, and of that a bounded amount: past the cap the oldest part is
 * forgotten, and a put that began before it takes its key for changed.
 */

/** The number of a change that this node asked for: it is younger than whatever the store has numbered so far. */
export const ASKED_HERE = Number.POSITIVE_INFINITY

export interface Change {
  readonly moment: number
  /** The store's number of the change, or `ASKED_HERE`. */
  readonly seq: number
  /** What a put of this node wrote. */
  readonly written?: { readonly value: unknown } | undefined
}

const CAP = 10_000
/** How many changes are noted before it is looked whether some of them concern nobody any more. */
const LEAST_LOOKED_THROUGH = 256

/** Returns what an eviction by tag is noted as; `tag`: a name of the tag table. That it might be a key, too, costs a hit at most. */
export function markOfTag(tag: string): string {
  return `tag ${tag}`
}

export class ChangeMarks {
  readonly #cap: number
  /** The key changed last comes last. */
  readonly #changes = new Map<string, Change[]>()
  #size = 0
  /** How many puts under way began at a moment; the earliest comes first. */
  readonly #begun = new Map<number, number>()
  #moment = 0
  #looksAt = LEAST_LOOKED_THROUGH
  /** Changes up to this moment may have been forgotten. */
  #floor = 0

  constructor(cap = CAP) {
    this.#cap = cap
  }

  /** The moment now; what is noted later comes after it. */
  get now(): number {
    return this.#moment
  }

  /** How many changes are remembered. */
  get size(): number {
    return this.#size
  }

  /** A put begins: from now on changes are noted, until `end` is called with the moment that this returns. */
  begin(): number {
    const moment = this.#moment
    this.#begun.set(moment, (this.#begun.get(moment) ?? 0) + 1)
    return moment
  }

  /** A put that began at this moment is over. */
  end(moment: number): void {
    const others = (this.#begun.get(moment) ?? 1) - 1
    if (others > 0) this.#begun.set(moment, others)
    else this.#begun.delete(moment)
    if (this.#begun.size > 0) return
    this.#changes.clear()
    this.#size = 0
    this.#looksAt = LEAST_LOOKED_THROUGH
  }

  /** Notes that a key was changed; by a put that has ended here, with what it wrote. */
  note(key: string, seq: number, written?: { readonly value: unknown }): void {
    if (this.#begun.size === 0) return
    this.#moment += 1
    const changes = this.#changes.get(key) ?? []
    changes.push({ moment: this.#moment, seq, written })
    this.#changes.delete(key)
    this.#changes.set(key, changes)
    this.#size += 1
    if (this.#size > Math.min(this.#looksAt, this.#cap)) this.#forgetSettled()
    if (this.#size > this.#cap) this.#forgetOldest()
  }

  /**
   * Tells whether a key was, or may have been, changed after a moment, by something numbered above `seq`. A change that is
   * numbered `own` is the asker's own.
   */
  hasChanged(
    key: string,
    moment: number,
    seq = Number.NEGATIVE_INFINITY,
    own = Number.NaN,
  ): boolean {
    if (moment < this.#floor) return true
    const changes = this.#changes.get(key)
    if (changes === undefined) return false
    return changes.some((at) => at.moment > moment && at.seq > seq && at.seq !== own)
  }

  /**
   * Returns the change that put this very value after a moment, if nothing has changed the key since then: a method that
   * returns what another method just put has not been overtaken by it.
   */
  lastPutOf(key: string, moment: number, value: unknown): Change | undefined {
    if (moment < this.#floor) return undefined
    const changes = this.#changes.get(key) ?? []
    const found = changes.findLast(
      (change) => change.moment > moment && change.written !== undefined,
    )
    if (found === undefined || !Object.is(found.written?.value, value)) return undefined
    const above = found.seq === ASKED_HERE ? undefined : found.seq
    return this.hasChanged(key, found.moment, above) ? undefined : found
  }

  /** Forgets what came before every put under way: where many overlap, there may be no moment without one for a long time. */
  #forgetSettled(): void {
    const [earliest = this.#moment] = this.#begun.keys()
    this.#size = 0
    for (const [key, changes] of this.#changes) {
      const left = changes.filter(({ moment }) => moment > earliest)
      if (left.length === 0) this.#changes.delete(key)
      else if (left.length < changes.length) this.#changes.set(key, left)
      this.#size += left.length
    }
    this.#looksAt = Math.max(LEAST_LOOKED_THROUGH, 2 * this.#size)
  }

  #forgetOldest(): void {
    for (const [key, changes] of this.#changes) {
      this.#changes.delete(key)
      this.#size -= changes.length
      this.#floor = Math.max(this.#floor, changes.at(-1)?.moment ?? 0)
      if (this.#size <= this.#cap / 2) return
    }
  }
}
