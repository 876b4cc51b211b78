/** Questions to a store: those of one tick are asked together. */

import type { LimitReply, LimitRequest, LimitRule } from '../contracts/rate-limit-provider.ts'
import type { LimitStore } from './limit-store.ts'

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

export interface Question extends LimitRequest {
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** A longer step keeps the store's other clients waiting. */
const MOST_TOGETHER = 32
/** A store that says less than it was asked. */
const NO_REPLY = undecided(new Error('The store did not reply to this call'))

export class Questions {
  readonly #decide: (questions: readonly Question[]) => Promise<void>
  readonly #waiting: Question[] = []
  #isFlushing = false

  /** `decide` answers each of the questions, whatever happens, and does not reject. */
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
   * Sends what was asked since, or some of it and the rest a turn of the loop later: then the store decides on some while
   * this process goes on with others. All at once, they would take turns in waiting for each other.
   */
  #flush(): void {
    const questions = this.#waiting.splice(0, MOST_TOGETHER)
    this.#isFlushing = this.#waiting.length > 0
    if (this.#isFlushing) setImmediate(() => this.#flush())
    void this.#decide(questions)
  }
}

/** The reply to the i-th question, also where a store says less than it was asked. */
export function replyAt(replies: readonly LimitReply[], i: number): LimitReply {
  return replies[i] ?? NO_REPLY
}

function undecided(error: unknown): LimitReply {
  return { admitted: false, waitUs: 0, refusedBy: -1, states: [], nowUs: 0, error }
}
