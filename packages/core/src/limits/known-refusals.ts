/**
 * Refusals that still hold, so that asking again costs nothing; those of all limiters of a manager.
 *
 * After a refusal the same call (with that key, rule and cost) cannot be admitted before the time in the store's answer, unless
 * a call gives back, resets or blocks anew. A call with a higher cost cannot be admitted either, but when it can be is another
 * question, so the store is asked. The time counts from before the question was sent: the store's clock cannot have been
 * further. A caller that gives back reports it (see `FreedListener`), and everything here is found by the limiter's name and
 * the key, whichever limiters of that name exist. A lost report does harm only for as long as a refusal is trusted.
 */

import type { LimitReply, LimitRule } from '../contracts/rate-limit-provider.ts'

/** The most keys of limiters whose refusals are remembered; beyond, the oldest is forgotten, which costs one question. */
const MOST_KEYS = 50_000
/** Costs and rules of one key. */
const MOST_PER_KEY = 8
/** The longest a refusal is trusted without asking again, ms. */
const LONGEST_TRUST_MS = 5_000
const US_PER_MS = 1_000
/** No name of a limiter contains it. */
const SEPARATOR = ':'

export interface KnownRefusal {
  readonly rule: LimitRule
  readonly cost: number
  readonly reply: LimitReply
  /** When it was asked for and when it was answered, on this process's clock, ms. */
  readonly askedAt: number
  readonly answeredAt: number
}

/** A call that may be known to be refused. */
export interface RefusedCall {
  readonly rule: LimitRule
  readonly key: string
  readonly cost: number
}

interface Row extends KnownRefusal {
  readonly until: number
}

/** Questions under way; points given back meanwhile make their answers untrue. */
export interface Asking {
  readonly limiter: string
  /** Keys of the limiter for which something was given back since. */
  readonly freed: Set<string>
  isAnyFreed: boolean
}

export class KnownRefusals {
  readonly #rows = new Map<string, Row[]>()
  readonly #asking = new Map<string, Set<Asking>>()

  /** How many keys have known refusals. */
  get size(): number {
    return this.#rows.size
  }

  /** Returns the refusal that a call meets now, if one is known. */
  find({ rule, key, cost }: RefusedCall, now: number): KnownRefusal | undefined {
    if (this.#rows.size === 0) return undefined
    const rows = this.#rows.get(rule.limiter + SEPARATOR + key)
    if (rows === undefined) return undefined
    for (const row of rows) {
      if (row.rule === rule && row.cost === cost && now < row.until) return row
    }
    if (rows.every(({ until }) => now >= until)) this.#rows.delete(rule.limiter + SEPARATOR + key)
    return undefined
  }

  /** Begins to ask; `answered` ends it. */
  ask({ limiter }: LimitRule): Asking {
    const asking = { limiter, freed: new Set<string>(), isAnyFreed: false }
    const others = this.#asking.get(limiter)
    if (others === undefined) this.#asking.set(limiter, new Set([asking]))
    else others.add(asking)
    return asking
  }

  answered(asking: Asking): void {
    const others = this.#asking.get(asking.limiter)
    others?.delete(asking)
    if (others?.size === 0) this.#asking.delete(asking.limiter)
  }

  /** Remembers a refusal, unless something was given back while it was asked for. */
  note(key: string, refusal: KnownRefusal, asking: Asking): void {
    if (asking.isAnyFreed || asking.freed.has(key)) return
    const { rule, cost, askedAt, reply } = refusal
    const until = askedAt + Math.min(reply.waitUs / US_PER_MS, LONGEST_TRUST_MS)
    const name = rule.limiter + SEPARATOR + key
    const others = (this.#rows.get(name) ?? []).filter(
      (row) => row.until > askedAt && !(row.rule === rule && row.cost === cost),
    )
    this.#rows.delete(name)
    this.#rows.set(name, [...others.slice(1 - MOST_PER_KEY), { ...refusal, until }])
    if (this.#rows.size <= MOST_KEYS) return
    const [oldest] = this.#rows.keys()
    if (oldest !== undefined) this.#rows.delete(oldest)
  }

  /** A call of the key was admitted: the times at which others can be admitted are later than was said. */
  admitted({ limiter }: LimitRule, key: string): void {
    if (this.#rows.size > 0) this.#rows.delete(limiter + SEPARATOR + key)
  }

  /** Points of a key were given back: refused calls may be admitted now, and so may calls that are being decided. */
  freed(limiter: string, key: string): void {
    this.#rows.delete(limiter + SEPARATOR + key)
    for (const asking of this.#asking.get(limiter) ?? []) asking.freed.add(key)
  }

  /** Something of any key may have been given back. */
  freedAny(): void {
    this.#rows.clear()
    for (const ofLimiter of this.#asking.values()) {
      for (const asking of ofLimiter) asking.isAnyFreed = true
    }
  }
}
