/** Refusals as problem documents (RFC 9457), and which of Larder's errors are one. */

import {
  LockTimeoutError,
  LockUnavailableError,
  RateLimitedError,
  RateLimitUnavailableError,
  rateLimitProblem,
} from '@larder/core'
import { HttpException } from '@nestjs/common'

/** What a problem document says. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string | undefined
  readonly 'violated-policies'?: readonly string[] | undefined
  /** Seconds to wait before another try. For calls outside of HTTP, which have no field `Retry-After`. */
  readonly 'retry-after'?: number | undefined
}

/** A refusal in HTTP and GraphQL: 429, or 503 where it is unknown whether a limit is used up. Its response is the problem document. */
export class ProblemException extends HttpException {
  readonly problem: Problem

  constructor(problem: Problem, cause?: unknown) {
    super({ ...problem }, problem.status, { cause })
    this.message = problem.title
    this.problem = problem
  }
}

/** A problem document, and the fields of its HTTP response. */
export interface ProblemAnswer {
  readonly problem: Problem
  readonly retryAfter: number | undefined
}

/** Errors of decorated methods that are an answer and not a fault of the program. */
export const ANSWERED_ERRORS = [
  RateLimitedError,
  RateLimitUnavailableError,
  LockTimeoutError,
  LockUnavailableError,
] as const

const MS_PER_SECOND = 1_000

/** Returns what an error says to a client; undefined where it is none of `ANSWERED_ERRORS`. */
export function answerOf(error: unknown): ProblemAnswer | undefined {
  if (error instanceof RateLimitedError) {
    const { policy, retryAfterMs } = error
    const problem = rateLimitProblem(policy === 'default' ? [] : [policy])
    const hasEnd = Number.isFinite(retryAfterMs)
    return { problem, retryAfter: hasEnd ? Math.ceil(retryAfterMs / MS_PER_SECOND) : undefined }
  }
  if (error instanceof RateLimitUnavailableError)
    return { problem: rateLimitProblem([], 'temporary-reduced-capacity'), retryAfter: undefined }
  if (error instanceof LockTimeoutError) return { problem: BUSY, retryAfter: undefined }
  if (error instanceof LockUnavailableError) return { problem: UNDECIDED, retryAfter: undefined }
  return undefined
}

/** Not an error of the server: another request has the lock, and the same request may succeed later. */
const BUSY: Problem = {
  type: 'about:blank',
  title: 'Conflict',
  status: 409,
  detail: 'Another request works on the same thing and did not finish in time.',
}
const UNDECIDED: Problem = {
  type: 'about:blank',
  title: 'Service Unavailable',
  status: 503,
  detail: 'It is unknown at the moment whether another request works on the same thing.',
}
