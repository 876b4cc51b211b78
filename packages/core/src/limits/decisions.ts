/**
 * Asks a store about the calls under one rule: the calls of one tick go together, calls that are known to be refused are not
 * sent, and where the store cannot decide, the rule says what happens.
 */

import type { Clock } from '../contracts/clock.ts'
import type { LimitReply, LimitRequest, LimitRule } from '../contracts/rate-limit-provider.ts'
import { RateLimitUnavailableError } from '../errors/rate-limit-error.ts'
import { isSetupError } from '../errors/reason-of.ts'
import type { Asking, KnownRefusals } from './known-refusals.ts'
import type { LimitStore } from './limit-store.ts'
import type { OnStoreError, ResolvedLimiter } from './limiter-options.ts'

/** A store's answer. */
export interface Decided {
  readonly kind: 'decided'
  readonly reply: LimitReply
  readonly rule: LimitRule
  readonly store: LimitStore
  /** It is an earlier refusal that still holds. */
  readonly isKnown: boolean
  /** How old the reply is, ms. */
  readonly elapsedMs: number
}

/** The outcome of a question; `open`: the store cannot decide, and the policy is to let every call pass. */
export type Answer = Decided | { readonly kind: 'open' }

export interface DecisionParts {
  readonly limiter: ResolvedLimiter
  readonly onStoreError: OnStoreError
  readonly store: LimitStore
  /** For `onStoreError: 'local'`. */
  readonly fallback: LimitStore | undefined
  readonly clock: Clock
  /** Those of all limiters of the manager. */
  readonly known: KnownRefusals
}

interface Question extends LimitRequest {
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** A question that the store did not answer, and why. */
interface Unanswered {
  readonly question: Question
  readonly error: unknown
}

/** A longer step keeps the store's other clients waiting. */
const MOST_TOGETHER = 32
/** A store in the same process is asked within this time too, because users may write their own. */
const LOCAL_TIMEOUT_MS = 1_000
/** For a store that returns fewer replies than it was asked for. */
const NO_REPLY = undecided(new Error('The store did not reply to this call'))

export class Decisions {
  readonly #parts: DecisionParts
  /** False where every attempt counts, or where permits come back at any time: there a refusal does not tell about later calls. */
  readonly #remembers: boolean
  /** The reply of a policy with a limit of 0; the store need not be asked for it. */
  readonly #closedReply: LimitReply | undefined
  readonly #questions: Question[] = []
  #isFlushing = false

  constructor(parts: DecisionParts) {
    const { rule } = parts.limiter
    this.#parts = parts
    this.#closedReply = closedReply(rule)
    this.#remembers =
      !rule.penalty && rule.policies.every(({ algorithm }) => algorithm !== 'concurrency')
  }

  /** Returns the refusal for a call if it is known already. */
  known(key: string, cost: number): Decided | undefined {
    const closed = this.closed(cost)
    if (closed !== undefined) return closed
    const { limiter, store, clock, known } = this.#parts
    const { rule } = limiter
    const now = clock.now()
    const found = known.find(rule, key, cost, now)
    if (found === undefined) return undefined
    const { reply, answeredAt } = found
    return { kind: 'decided', reply, rule, store, isKnown: true, elapsedMs: now - answeredAt }
  }

  /** Returns the refusal of a limit of 0, which is known without the store. */
  closed(cost: number): Decided | undefined {
    const reply = this.#closedReply
    if (reply === undefined || cost === 0) return undefined
    const { limiter, store } = this.#parts
    return { kind: 'decided', reply, rule: limiter.rule, store, isKnown: true, elapsedMs: 0 }
  }

  /** @throws RateLimitUnavailableError when neither store can decide. */
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

  /** See `RateLimitProvider.adjust`. @throws what the store rejects with */
  adjust(key: string, how: 'reward' | 'set', points: number): Promise<number> {
    const { limiter, store } = this.#parts
    return store.adjust(limiter.rule, key, how, points)
  }

  /** See `RateLimitProvider.block`; also while the store is away. @throws what the store rejects with */
  async block(key: string, us: number): Promise<void> {
    const { limiter, store, fallback } = this.#parts
    await fallback?.block(limiter.localRule, key, us)
    await store.block(limiter.rule, key, us)
  }

  /**
   * Sends what was asked since, or a part of it and the rest one turn of the loop later: then the store decides on the first part
   * while this process continues. If all were sent at once, store and process would take turns in waiting for each other.
   */
  #flush(): void {
    const questions = this.#questions.splice(0, MOST_TOGETHER)
    this.#isFlushing = this.#questions.length > 0
    if (this.#isFlushing) setImmediate(() => this.#flush())
    void this.#decide(questions)
  }

  async #decide(questions: readonly Question[]): Promise<void> {
    const { limiter, store, clock, known } = this.#parts
    const { rule, storeTimeoutMs } = limiter
    const askedAt = clock.now()
    const asking = known.ask(rule)
    let replies: readonly LimitReply[] = []
    try {
      replies = await store.decide(rule, questions, storeTimeoutMs)
    } catch (error) {
      await this.#fallBack(questions.map((question) => ({ question, error })))
      return
    } finally {
      known.answered(asking)
    }
    await this.#answer(questions, replies, { askedAt, asking })
  }

  async #answer(
    questions: readonly Question[],
    replies: readonly LimitReply[],
    { askedAt, asking }: { readonly askedAt: number; readonly asking: Asking },
  ): Promise<void> {
    const { limiter, store, clock, known } = this.#parts
    const { rule } = limiter
    const answeredAt = clock.now()
    let unanswered: Unanswered[] | undefined
    for (let i = 0; i < questions.length; i++) {
      const question = questions[i] as Question
      const reply = replies[i] ?? NO_REPLY
      if (reply.error !== undefined) {
        unanswered ??= []
        unanswered.push({ question, error: reply.error })
        continue
      }
      const { key, cost, kind } = question
      if (reply.admitted) {
        if (kind === 'take' && cost > 0) known.admitted(rule, key)
      } else if (this.#remembers && (kind === 'take' || rule.blockUs === 0)) {
        // Where a refusal begins a block, the refusal of a `peek` must not count as one.
        known.note(key, { rule, cost, reply, askedAt, answeredAt }, asking)
      }
      question.resolve({ kind: 'decided', reply, rule, store, isKnown: false, elapsedMs: 0 })
    }
    if (unanswered !== undefined) await this.#fallBack(unanswered)
  }

  async #fallBack(all: readonly Unanswered[]): Promise<void> {
    const { onStoreError, fallback, limiter } = this.#parts
    // This is not an outage, whatever the rule says about outages: it would last for ever, unnoticed.
    for (const { question, error } of all) if (isSetupError(error)) question.reject(error)
    const unanswered = all.filter(({ error }) => !isSetupError(error))
    if (unanswered.length === 0) return
    if (onStoreError === 'open') {
      for (const { question } of unanswered) question.resolve({ kind: 'open' })
      return
    }
    if (onStoreError === 'closed' || fallback === undefined) {
      for (const { question, error } of unanswered) refuse(question, error)
      return
    }
    const rule = limiter.localRule
    const questions = unanswered.map(({ question }) => question)
    let replies: readonly LimitReply[] = []
    try {
      replies = await fallback.decide(rule, questions, LOCAL_TIMEOUT_MS)
    } catch (fallbackError) {
      for (const question of questions) refuse(question, fallbackError)
      return
    }
    for (const [i, { question, error }] of unanswered.entries()) {
      const reply = replies[i] ?? NO_REPLY
      if (reply.error !== undefined) refuse(question, reply.error)
      // More than the share of this process: it cannot say that the limit is used up, so it does not.
      else if (reply.waitUs === Number.POSITIVE_INFINITY) refuse(question, error)
      else
        question.resolve({
          kind: 'decided',
          reply,
          rule,
          store: fallback,
          isKnown: false,
          elapsedMs: 0,
        })
    }
  }
}

function refuse({ key, reject }: Question, error: unknown): void {
  reject(new RateLimitUnavailableError(key, error))
}

function undecided(error: unknown): LimitReply {
  return { admitted: false, waitUs: 0, refusedBy: -1, states: [], nowUs: 0, error }
}

/** A limit of 0 admits nothing, at no time. */
function closedReply({ policies }: LimitRule): LimitReply | undefined {
  const refusedBy = policies.findIndex(({ limit }) => limit === 0)
  if (refusedBy < 0) return undefined
  const states = policies.map(({ limit }) => ({ remaining: limit, resetUs: 0 }))
  return { admitted: false, waitUs: Number.POSITIVE_INFINITY, refusedBy, states, nowUs: 0 }
}
