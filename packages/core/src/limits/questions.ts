/** Questions to a store: those of one tick are asked together. */

import type { LimitReply, LimitRequest, LimitRule } from '../contracts/rate-limit-provider.ts'
import type { LimitStore } from './limit-store.ts'

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

export interface Question extends LimitRequest {
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** A longer step keeps the store's other clients waiting. */
const MOST_TOGETHER = 32
/** For a store that returns fewer replies than it was asked for. */
const NO_REPLY = undecided(new Error('The store did not reply to this call'))

export class Questions {
  readonly #decide: (questions: readonly Question[]) => Promise<void>
  readonly #waiting: Question[] = []
  #isFlushing = false

  /** `decide` must answer each of the questions, in every case, and must not reject. */
  constructor(decide: (questions: readonly Question[]) => Promise<void>) {
    this.#decide = decide
  }

  ask({ key, cost, kind, permit }: LimitRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, cost, kind, permit, resolve, reject })
      if (this.#isFlushing) return
      this.#isFlushing = true
      process.nextTick(() => this.#flush())
    })
  }

  /**
   * Sends what was asked since, or a part of it and the rest one turn of the loop later: then the store decides on the first part
   * while this process continues. If all were sent at once, store and process would take turns in waiting for each other.
   */
  #flush(): void {
    const questions = this.#waiting.splice(0, MOST_TOGETHER)
    this.#isFlushing = this.#waiting.length > 0
    if (this.#isFlushing) setImmediate(() => this.#flush())
    void this.#decide(questions)
  }
}

/** The reply to the i-th question, also where a store returns fewer replies than it was asked for. */
export function replyAt(replies: readonly LimitReply[], i: number): LimitReply {
  return replies[i] ?? NO_REPLY
}

function undecided(error: unknown): LimitReply {
  return { admitted: false, waitUs: 0, refusedBy: -1, states: [], nowUs: 0, error }
}
