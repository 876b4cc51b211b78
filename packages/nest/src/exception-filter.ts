/** Answers errors of decorated methods that a handler does not catch: a refused call is 429 and not 500. */

import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { ForeignExceptions } from './foreign-exceptions.ts'
import { ANSWERED_ERRORS, answerOf, type Problem, ProblemException } from './problem-exception.ts'

/** Where Nest keeps what `@Catch` says; an empty list means everything. */
const CAUGHT = '__filterCatchExceptions__'
const CONTENT_TYPE = 'application/problem+json'

/**
 * A filter of the application, unless the module is told otherwise. It answers `RateLimitedError` with 429, `RateLimitUnavailableError` and
 * `LockUnavailableError` with 503, `LockTimeoutError` with 409, and what the guard refuses with the content type of problem documents.
 *
 * Nest applies filters of the application to HTTP, GraphQL and messages, but not to gateways: these take
 * `@UseFilters(LarderExceptionFilter)`.
 */
export class LarderExceptionFilter implements ExceptionFilter {
  static {
    Catch(...ANSWERED_ERRORS, ProblemException)(LarderExceptionFilter)
    Inject(HttpAdapterHost)(LarderExceptionFilter, undefined, 0)
    Inject(ForeignExceptions)(LarderExceptionFilter, undefined, 1)
  }

  readonly #host: HttpAdapterHost
  readonly #foreign: ForeignExceptions
  #others: readonly ExceptionFilter[] = []

  constructor(host: HttpAdapterHost, foreign: ForeignExceptions) {
    this.#host = host
    this.#foreign = foreign
  }

  /** Lets other filters of the application come first, the last of them before the others. */
  comeAfter(others: readonly ExceptionFilter[]): void {
    this.#others = others.toReversed()
  }

  catch(exception: Error, host: ArgumentsHost): unknown {
    const other = this.#others.find((filter) => catches(filter, exception))
    if (other !== undefined) return other.catch(exception, host)
    const { problem, retryAfter } = said(exception)
    const kind = host.getType<string>()
    if (kind === 'http') return this.#answer(problem, retryAfter, host.switchToHttp().getResponse())
    const complete = {
      ...problem,
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    }
    const answered = this.#foreign.answer(kind, complete, host)
    if (answered !== undefined) return answered.reply
    // In GraphQL, an error that a resolver returns is an error that it throws.
    return exception instanceof ProblemException
      ? exception
      : new ProblemException(complete, exception)
  }

  #answer(problem: Problem, retryAfter: number | undefined, response: unknown): void {
    const adapter = this.#host.httpAdapter
    if (adapter.isHeadersSent(response)) {
      adapter.end(response)
      return
    }
    adapter.setHeader(response, 'Content-Type', CONTENT_TYPE)
    if (retryAfter !== undefined) adapter.setHeader(response, 'Retry-After', String(retryAfter))
    // A text, so that neither a schema of the route nor a serialiser leaves parts of it out.
    adapter.reply(response, JSON.stringify(problem), problem.status)
  }
}

function said(exception: Error): { problem: Problem; retryAfter: number | undefined } {
  if (exception instanceof ProblemException)
    return { problem: exception.problem, retryAfter: undefined }
  const answer = answerOf(exception)
  if (answer === undefined) throw exception
  return answer
}

function catches(filter: ExceptionFilter, exception: unknown): boolean {
  const caught: unknown = Reflect.getMetadata(CAUGHT, filter.constructor)
  if (!Array.isArray(caught)) return false
  return caught.length === 0 || caught.some((type) => exception instanceof type)
}
