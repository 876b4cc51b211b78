/**
 * Asks a store about the calls under one rule: those of one tick together, those that are known to be refused not at all,
 * and what the rule says where the store cannot say.
 */

import type { Clock } from '../contracts/clock.ts'
import type { LimitReply, LimitRequest, LimitRule } from '../contracts/rate-limit-provider.ts'
import { RateLimitUnavailableError } from '../errors/rate-limit-error.ts'
import { isSetupError } from '../errors/reason-of.ts'
import { KnownRefusals } from './known-refusals.ts'
import type { LimitStore } from './limit-store.ts'
import type { OnStoreError, ResolvedLimiter } from './limiter-options.ts'

/** A store's answer. */
export interface Decided {
  readonly kind: 'decided'
  readonly reply: LimitReply
  readonly rule: LimitRule
  readonly store: LimitStore
  /** It is a refusal from before that still holds. */
  readonly isKnown: boolean
  /** How long ago the reply was true, ms. */
  readonly elapsedMs: number
}

/** What came of a question; `open`: the store cannot say, and then everything passes. */
export type Answer = Decided | { readonly kind: 'open' }

export interface DecisionParts {
  readonly limiter: ResolvedLimiter
  readonly onStoreError: OnStoreError
  readonly store: LimitStore
  /** For `onStoreError: 'local'`. */
  readonly fallback: LimitStore | undefined
  readonly clock: Clock
}

interface Question extends LimitRequest {
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** A longer step keeps the store's other clients waiting. */
const MOST_TOGETHER = 32
/** A store in the same process is asked within this time too, because it may be somebody's own. */
const LOCAL_TIMEOUT_MS = 1_000

export class Decisions {
  readonly #parts: DecisionParts
  readonly #known = new KnownRefusals()
  /** A refusal does not keep anybody from being admitted where every attempt counts, or where permits come back at any time. */
  readonly #remembers: boolean
  readonly #questions: Question[] = []
  #isFlushing = false
  #freedAt = Number.NEGATIVE_INFINITY

  constructor(parts: DecisionParts) {
    const { rule } = parts.limiter
    this.#parts = parts
    this.#remembers =
      !rule.penalty && rule.policies.every(({ algorithm }) => algorithm !== 'concurrency')
  }

  /** Returns the refusal that a call meets if it is known already. */
  known(key: string, cost: number): Decided | undefined {
    const { limiter, store, clock } = this.#parts
    const now = clock.now()
    const known = this.#known.find(key, cost, now)
    if (known === undefined) return undefined
    const { reply, answeredAt } = known
    const elapsedMs = now - answeredAt
    return { kind: 'decided', reply, rule: limiter.rule, store, isKnown: true, elapsedMs }
  }

  /** @throws RateLimitUnavailableError when nobody can say. */
  ask(request: LimitRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { key, cost, kind, permit } = request
      this.#questions.push({ key, cost, kind, permit, resolve, reject })
      if (this.#isFlushing) return
      this.#isFlushing = true
      process.nextTick(() => this.#flush())
    })
  }

  /** Forgets a key. @throws what the store rejects with */
  async reset(key: string): Promise<void> {
    const { limiter, store, fallback } = this.#parts
    await fallback?.reset(limiter.localRule, key)
    await store.reset(limiter.rule, key)
  }

  /** Permits of a key were given back: what was refused may be admitted now, and so may what is being asked. */
  freed(key: string): void {
    this.#freedAt = this.#parts.clock.now()
    this.#known.forget(key)
  }

  /** Permits of any key may have been given back. */
  freedAny(): void {
    this.#freedAt = this.#parts.clock.now()
    this.#known.clear()
  }

  /**
   * Sends what was asked since, or some of it and the rest a turn of the loop later: then the store decides on some while
   * this process goes on with others. All at once, they would take turns in waiting for each other.
   */
  #flush(): void {
    const questions = this.#questions.splice(0, MOST_TOGETHER)
    this.#isFlushing = this.#questions.length > 0
    if (this.#isFlushing) setImmediate(() => this.#flush())
    void this.#decide(questions)
  }

  async #decide(questions: readonly Question[]): Promise<void> {
    const { limiter, store, clock } = this.#parts
    const { rule, storeTimeoutMs } = limiter
    const askedAt = clock.now()
    try {
      const replies = await store.decide(rule, questions, storeTimeoutMs)
      this.#answer(questions, replies, askedAt)
    } catch (error) {
      await this.#fallBack(questions, error)
    }
  }

  #answer(questions: readonly Question[], replies: readonly LimitReply[], askedAt: number): void {
    const { limiter, store, clock } = this.#parts
    const { rule } = limiter
    const answeredAt = clock.now()
    for (let i = 0; i < questions.length; i++) {
      const question = questions[i] as Question
      const reply = replies[i] as LimitReply
      if (this.#remembers && !reply.admitted && askedAt > this.#freedAt) {
        this.#known.note(question.key, { cost: question.cost, reply, askedAt, answeredAt })
      }
      question.resolve({ kind: 'decided', reply, rule, store, isKnown: false, elapsedMs: 0 })
    }
  }

  async #fallBack(questions: readonly Question[], error: unknown): Promise<void> {
    const { onStoreError, fallback, limiter } = this.#parts
    // No outage, whatever is to be done in one: it would last for ever, and nobody would know.
    if (isSetupError(error)) {
      for (const { reject } of questions) reject(error)
      return
    }
    if (onStoreError === 'open') {
      for (const { resolve } of questions) resolve({ kind: 'open' })
      return
    }
    if (onStoreError === 'closed' || fallback === undefined) {
      for (const { key, reject } of questions) reject(new RateLimitUnavailableError(key, error))
      return
    }
    const rule = limiter.localRule
    try {
      const replies = await fallback.decide(rule, questions, LOCAL_TIMEOUT_MS)
      for (const [i, { key, resolve, reject }] of questions.entries()) {
        const reply = replies[i] as LimitReply
        // More than this process' share: it cannot say that the limit is used up, so it does not.
        if (reply.waitUs === Number.POSITIVE_INFINITY) {
          reject(new RateLimitUnavailableError(key, error))
          continue
        }
        resolve({ kind: 'decided', reply, rule, store: fallback, isKnown: false, elapsedMs: 0 })
      }
    } catch (fallbackError) {
      for (const { key, reject } of questions)
        reject(new RateLimitUnavailableError(key, fallbackError))
    }
  }
}
