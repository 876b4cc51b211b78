/** Whether a request may go on, and what its response says about that. */

import {
  type RateLimitHeaderOptions,
  type RateLimitVerdict,
  rateLimitHeaders,
  rateLimitProblem,
} from '@larder/core'
import type { Admissions } from './admissions.ts'
import { appendFields, type Fields, policyNamesIn, type ReadField } from './field-lists.ts'
import type { HttpProblem } from './rate-limit-options.ts'
import { labelled, type Standing, tightest } from './standings.ts'

/** A request that may go on. */
export interface PassedRequest {
  readonly kind: 'passed'
  /** The verdict of the limiter with the smallest part left; undefined if none has decided. */
  readonly verdict: RateLimitVerdict | undefined
  /** A `concurrency` policy counts the request until `end`. */
  readonly hasPermits: boolean
  /** Returns what the fields of the response should be, given those that it has. */
  fields(read: ReadField): Fields
  /** Says that the response is over: with its status, or without one when the client left before. Call it in every case. */
  end(status: number | undefined): void
  /** Says that the client left before the response was over. Unlike `end`, it holds nothing of the request. */
  readonly leave: () => void
  /** Says instead that the request was not served, so that it counts in no limiter. Never rejects. */
  giveBack(): Promise<void>
}

/** A request that is refused: with 429, with 503 when no limiter can decide, or with 400 where it has no address. */
export interface RefusedRequest {
  readonly kind: 'refused'
  readonly status: number
  readonly verdict: RateLimitVerdict | undefined
  /** Returns what the response should be, given the fields that it has. */
  answer(read: ReadField): RefusalAnswer
}

/** The response to a refused request. */
export interface RefusalAnswer {
  /** Its fields, but for `Content-Type: application/problem+json`. */
  readonly fields: Fields
  /** The problem document, for frameworks that write it themselves. */
  readonly problem: object
  /** The same as text. */
  readonly body: string
}

export type LimitDecision = PassedRequest | RefusedRequest

/** Returns the outcome of a request that all limiters have admitted. */
export function passed(
  standings: readonly Standing[],
  admissions: Admissions,
  how: {
    readonly options: RateLimitHeaderOptions
    readonly refundIf: ((status: number) => unknown) | undefined
  },
): PassedRequest {
  const { options, refundIf } = how
  return {
    kind: 'passed',
    verdict: tightest(standings),
    hasPermits: admissions.hasPermits,
    fields(read) {
      const verdicts = labelled(standings, policyNamesIn(read('RateLimit-Policy')))
      return appendFields(
        read,
        verdicts.map((verdict) => rateLimitHeaders(verdict, options)),
      )
    },
    end(status) {
      const isAsked = refundIf !== undefined && status !== undefined
      admissions.end(isAsked ? () => refundIf(status) : undefined)
    },
    leave: leaver(admissions),
    giveBack: () => admissions.giveBack(),
  }
}

/** A function of its own, so that it does not hold what `passed` was given. */
function leaver(admissions: Admissions): () => void {
  return () => admissions.end()
}

/** Returns the outcome of a request that the last of these limiters has refused; the others were given back. */
export function refused(
  standings: readonly Standing[],
  how: {
    readonly options: RateLimitHeaderOptions
    readonly problem: (problem: HttpProblem) => object
  },
): RefusedRequest {
  return {
    kind: 'refused',
    status: 429,
    verdict: standings.at(-1)?.verdict,
    answer(read) {
      const verdicts = labelled(standings, policyNamesIn(read('RateLimit-Policy')))
      const own = verdicts.map((verdict, i) => {
        const fields = rateLimitHeaders(verdict, how.options)
        // What those that were given back said about what is left is no longer true.
        return i === verdicts.length - 1 ? fields : policyOnly(fields)
      })
      const refusing = verdicts.at(-1) ?? { policy: '' }
      return answerOf(appendFields(read, own), how.problem(rateLimitProblem(refusing)))
    },
  }
}

/** Returns the outcome of a request that no limiter has counted. */
export function answered(
  problem: HttpProblem,
  worded: (problem: HttpProblem) => object,
): RefusedRequest {
  return {
    kind: 'refused',
    status: problem.status,
    verdict: undefined,
    answer: () => answerOf({}, worded(problem)),
  }
}

function answerOf(fields: Fields, problem: object): RefusalAnswer {
  return { fields, problem, body: JSON.stringify(problem) }
}

function policyOnly(fields: Fields): Fields {
  const policy = fields['RateLimit-Policy']
  return policy === undefined ? {} : { 'RateLimit-Policy': policy }
}
