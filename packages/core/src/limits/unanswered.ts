/** Answers questions that the store did not answer, as `onStoreError` says. */

import type { LimitReply, LimitRule } from '../contracts/rate-limit-provider.ts'
import { RateLimitUnavailableError } from '../errors/rate-limit-error.ts'
import { isSetupError } from '../errors/reason-of.ts'
import type { LimitStore } from './limit-store.ts'
import type { OnStoreError } from './limiter-options.ts'
import { type Question, replyAt } from './questions.ts'

/** A question that the store did not answer, and why. */
export interface Unanswered {
  readonly question: Question
  readonly error: unknown
}

export interface StandInParts {
  readonly onStoreError: OnStoreError
  /** For `onStoreError: 'local'`. */
  readonly fallback: LimitStore | undefined
  readonly localRule: LimitRule
}

/** A store in the same process is asked within this time too, because users may write their own. */
const LOCAL_TIMEOUT_MS = 1_000

/** Answers them all. */
export async function answerWithoutStore(
  all: readonly Unanswered[],
  { onStoreError, fallback, localRule }: StandInParts,
): Promise<void> {
  // This is not an outage, whatever the rule says about outages: it would last for ever, unnoticed.
  for (const { question, error } of all) if (isSetupError(error)) question.reject(error)
  const unanswered = all.filter(({ error }) => !isSetupError(error))
  if (unanswered.length === 0) return
  if (onStoreError === 'open') {
    for (const { question } of unanswered) question.resolve({ kind: 'open' })
    return
  }
  if (onStoreError === 'local' && fallback !== undefined) {
    await answerLocally(unanswered, localRule, fallback)
    return
  }
  for (const { question, error } of unanswered) refuse(question, error)
}

async function answerLocally(
  unanswered: readonly Unanswered[],
  rule: LimitRule,
  store: LimitStore,
): Promise<void> {
  const questions = unanswered.map(({ question }) => question)
  let replies: readonly LimitReply[] = []
  try {
    replies = await store.decide(rule, questions, LOCAL_TIMEOUT_MS)
  } catch (fallbackError) {
    for (const question of questions) refuse(question, fallbackError)
    return
  }
  for (const [i, { question, error }] of unanswered.entries()) {
    const reply = replyAt(replies, i)
    if (reply.error !== undefined) refuse(question, reply.error)
    // More than the share of this process: it cannot say that the limit is used up, so it does not.
    else if (reply.waitUs === Number.POSITIVE_INFINITY) refuse(question, error)
    else question.resolve({ kind: 'decided', reply, rule, store, isKnown: false, elapsedMs: 0 })
  }
}

function refuse({ key, reject }: Question, error: unknown): void {
  reject(new RateLimitUnavailableError(key, error))
}
