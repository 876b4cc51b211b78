/**
 * Refusals that still hold, so that asking again costs nothing.
 *
 * After a refusal no call of that key and at least that cost can be admitted before the store's answer says so, unless
 * somebody gives back, resets or raises the limit. The time counts from before the question was sent: the store's clock
 * cannot have been further. Who gives back or resets says so (see `FreedListener`); a lost word does harm for as long as
 * a refusal is believed at most.
 */

import type { LimitReply } from '../contracts/rate-limit-provider.ts'

/** The most keys whose refusal is remembered; beyond, the oldest is forgotten, which costs one question. */
const MOST_KEYS = 10_000
/** The longest a refusal is believed without asking anew, ms. */
const LONGEST_BELIEF_MS = 5_000
const US_PER_MS = 1_000

export interface KnownRefusal {
  readonly cost: number
  readonly reply: LimitReply
  /** When it was asked for and when it was answered, on this process's clock, ms. */
  readonly askedAt: number
  readonly answeredAt: number
}

interface Row extends KnownRefusal {
  readonly until: number
}

export class KnownRefusals {
  readonly #rows = new Map<string, Row>()

  get size(): number {
    return this.#rows.size
  }

  /** Returns the refusal that a call meets now, if one is known. */
  find(key: string, cost: number, now: number): KnownRefusal | undefined {
    const known = this.#rows.get(key)
    if (known === undefined) return undefined
    if (now >= known.until) {
      this.#rows.delete(key)
      return undefined
    }
    return cost >= known.cost ? known : undefined
  }

  /** Remembers a refusal. */
  note(key: string, refusal: KnownRefusal): void {
    const { askedAt, reply } = refusal
    const until = askedAt + Math.min(reply.waitUs / US_PER_MS, LONGEST_BELIEF_MS)
    this.#rows.delete(key)
    this.#rows.set(key, { ...refusal, until })
    if (this.#rows.size <= MOST_KEYS) return
    const [oldest] = this.#rows.keys()
    if (oldest !== undefined) this.#rows.delete(oldest)
  }

  forget(key: string): void {
    this.#rows.delete(key)
  }

  clear(): void {
    this.#rows.clear()
  }
}
