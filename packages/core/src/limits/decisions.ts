/** Asks a store about the calls under one rule; those that are known to be refused are not asked about at all. */

import type { Clock } from '../contracts/clock.ts'
import type { LimitReply, LimitRequest, LimitRule } from '../contracts/rate-limit-provider.ts'
import type { Asking, KnownRefusals } from './known-refusals.ts'
import type { Adjustment, LimitStore } from './limit-store.ts'
import { type Answer, type Decided, type Question, Questions, replyAt } from './questions.ts'
import { answerWithoutStore, type StandInParts, type Unanswered } from './unanswered.ts'

export interface DecisionParts extends StandInParts {
  readonly rule: LimitRule
  readonly store: LimitStore
  readonly storeTimeoutMs: number
  readonly clock: Clock
  /** Those of all limiters of the manager. */
  readonly known: KnownRefusals
}

export class Decisions {
  readonly rule: LimitRule
  readonly #parts: DecisionParts
  /** False where every attempt counts, or where permits come back at any time: there a refusal does not tell about later calls. */
  readonly #remembers: boolean
  /** The reply of a policy with a limit of 0; the store need not be asked for it. */
  readonly #closedReply: LimitReply | undefined
  readonly #questions = new Questions((questions) => this.#decide(questions))

  constructor(parts: DecisionParts) {
    const { rule } = parts
    this.rule = rule
    this.#parts = parts
    this.#closedReply = closedReply(rule)
    this.#remembers =
      !rule.penalty && rule.policies.every(({ algorithm }) => algorithm !== 'concurrency')
  }

  /** Returns the refusal for a call if it is known already. */
  known(key: string, cost: number): Decided | undefined {
    const closed = this.closed(cost)
    if (closed !== undefined) return closed
    const { store, clock, known } = this.#parts
    const { rule } = this
    const now = clock.now()
    const found = known.find({ rule, key, cost }, now)
    if (found === undefined) return undefined
    const { reply, answeredAt } = found
    return { kind: 'decided', reply, rule, store, isKnown: true, elapsedMs: now - answeredAt }
  }

  /** Returns the refusal of a limit of 0, which is known without the store. */
  closed(cost: number): Decided | undefined {
    const reply = this.#closedReply
    if (reply === undefined || cost === 0) return undefined
    const { store } = this.#parts
    return { kind: 'decided', reply, rule: this.rule, store, isKnown: true, elapsedMs: 0 }
  }

  /** @throws RateLimitUnavailableError when neither store can decide. */
  ask(request: LimitRequest): Promise<Answer> {
    return this.#questions.ask(request)
  }

  /** Forgets a key. @throws what the store rejects with */
  async reset(key: string): Promise<void> {
    const { localRule, store, fallback } = this.#parts
    await fallback?.reset(localRule, key)
    await store.reset(this.rule, key)
  }

  /** See `RateLimitProvider.adjust`. @throws what the store rejects with */
  adjust(key: string, adjustment: Adjustment): Promise<number> {
    return this.#parts.store.adjust(this.rule, key, adjustment)
  }

  /** See `RateLimitProvider.block`; also while the store is away. @throws what the store rejects with */
  async block(key: string, us: number): Promise<void> {
    const { localRule, store, fallback } = this.#parts
    await fallback?.block(localRule, key, us)
    await store.block(this.rule, key, us)
  }

  async #decide(questions: readonly Question[]): Promise<void> {
    const { store, clock, known, storeTimeoutMs } = this.#parts
    const askedAt = clock.now()
    const asking = known.ask(this.rule)
    let replies: readonly LimitReply[] = []
    try {
      replies = await store.decide(this.rule, questions, storeTimeoutMs)
    } catch (error) {
      const unanswered = questions.map((question) => ({ question, error }))
      await answerWithoutStore(unanswered, this.#parts)
      return
    } finally {
      known.answered(asking)
    }
    const unanswered = this.#answer(questions, replies, { askedAt, asking })
    if (unanswered.length > 0) await answerWithoutStore(unanswered, this.#parts)
  }

  /** Answers questions, and returns those that the store could not decide on. */
  #answer(
    questions: readonly Question[],
    replies: readonly LimitReply[],
    { askedAt, asking }: { readonly askedAt: number; readonly asking: Asking },
  ): readonly Unanswered[] {
    const { store, clock, known } = this.#parts
    const { rule } = this
    const answeredAt = clock.now()
    const unanswered: Unanswered[] = []
    for (let i = 0; i < questions.length; i++) {
      const question = questions[i] as Question
      const reply = replyAt(replies, i)
      if (reply.error !== undefined) {
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
    return unanswered
  }
}

/** A limit of 0 admits nothing, at no time. */
function closedReply({ policies }: LimitRule): LimitReply | undefined {
  const refusedBy = policies.findIndex(({ limit }) => limit === 0)
  if (refusedBy < 0) return undefined
  const states = policies.map(({ limit }) => ({ remaining: limit, resetUs: 0 }))
  return { admitted: false, waitUs: Number.POSITIVE_INFINITY, refusedBy, states, nowUs: 0 }
}
