/**
 * What failed alone, and how often: tells a bad write from a database that is away.
 *
 * A write that fails alone says nothing by itself: nothing may succeed at present. A failure counts when another write of the queue has
 * succeeded since the first one, unless nothing of a whole round succeeds. Kept in memory, because it is about this process' attempts;
 * only keys that fail are in it.
 */

import type { Clock, WrittenKey } from '@larder/core/store'

interface Failure {
  readonly version: number
  readonly since: number
  /** How many writes had succeeded before the round in which it failed first. */
  readonly successes: number
  /** Those that count. */
  times: number
  postponed: number
}

/** More keys than this that fail alone at the same time: those are not told apart from an outage. */
const MOST = 10_000

export interface FailureRules {
  readonly attempts: number
  readonly deadAfterMs: number
}

export class Failures {
  readonly #clock: Clock
  readonly #rules: FailureRules
  readonly #known = new Map<string, Failure>()
  #successes = 0
  #atRoundStart = 0

  constructor(clock: Clock, rules: FailureRules) {
    this.#clock = clock
    this.#rules = rules
  }

  /** Whether a write has succeeded in this round. */
  get hasSucceeded(): boolean {
    return this.#successes > this.#atRoundStart
  }

  beginRound(): void {
    this.#atRoundStart = this.#successes
  }

  succeeded(written: readonly WrittenKey[]): void {
    this.#successes += written.length
    for (const { key } of written) this.#known.delete(key)
  }

  /** A write failed alone. `isOutage`: so did everything of this round. */
  failed({ key, version }: WrittenKey, isOutage: boolean): void {
    const failure = this.#failureOf(key, version)
    if (failure !== undefined && !isOutage && this.#successes > failure.successes)
      failure.times += 1
  }

  /** How often it was postponed before, this time included. */
  postponed(key: string): number {
    const failure = this.#known.get(key)
    if (failure === undefined) return 1
    failure.postponed += 1
    return failure.postponed
  }

  /** Whether a write that failed alone is to be a dead letter. */
  isDead(key: string): boolean {
    const failure = this.#known.get(key)
    if (failure === undefined) return false
    const { attempts, deadAfterMs } = this.#rules
    return failure.times >= attempts || this.#clock.now() - failure.since >= deadAfterMs
  }

  /** It is no longer in the queue. */
  forget(key: string): void {
    this.#known.delete(key)
  }

  #failureOf(key: string, version: number): Failure | undefined {
    const known = this.#known.get(key)
    if (known?.version === version) return known
    if (known === undefined && this.#known.size >= MOST) return undefined
    const since = this.#clock.now()
    const made = { version, since, successes: this.#atRoundStart, times: 0, postponed: 0 }
    this.#known.set(key, made)
    return made
  }
}
