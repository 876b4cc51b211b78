/** The guard: asks the limits of a handler before it runs. */

import { InvalidOptionError } from '@larder/core'
import {
  onResponseEnd,
  type PassedRequest,
  type RefusedRequest,
  tighter,
} from '@larder/plugins/http'
import { type CanActivate, type ExecutionContext, HttpException, Inject } from '@nestjs/common'
import { ForeignExceptions } from './foreign-exceptions.ts'
import type { Problem } from './problem-exception.ts'
import { callOf, type Exchange, exchangeOf, type HandlerCall } from './rate-limit-call.ts'
import { type HandlerLimit, RateLimits } from './rate-limits.ts'

const CLIENT_CLOSED_REQUEST = 499

/**
 * Admits calls of handlers within their `@RateLimit`. Others pass. Above a limit it throws an `HttpException` with status 429 whose response
 * is a problem document, or 503 where it is unknown whether the limit is used up; for messages, the exception of their package.
 *
 * Guards run in their order. If a key needs the user, put it after the guard that finds the user.
 *
 * @example
 * @UseGuards(AuthGuard, LarderRateLimitGuard)
 * @RateLimit<{ user: User }>({ limit: 100, per: '1m', key: ({ request }) => request.user.id })
 */
export class LarderRateLimitGuard implements CanActivate {
  static {
    Inject(RateLimits)(LarderRateLimitGuard, undefined, 0)
    Inject(ForeignExceptions)(LarderRateLimitGuard, undefined, 1)
  }

  readonly #limits: RateLimits
  readonly #foreign: ForeignExceptions

  constructor(limits: RateLimits, foreign: ForeignExceptions) {
    this.#limits = limits
    this.#foreign = foreign
  }

  /** @throws HttpException, RpcException or WsException for a refused call; InvalidOptionError; what functions among the options throw */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!this.#limits.isNew(context)) return true
    const limits = this.#limits.of({ owner: context.getClass(), method: context.getHandler() })
    if (limits.length === 0) return true
    const call = callOf<unknown>(context)
    const exchange = exchangeOf(call)
    const refused = await decided(limits, { call, exchange })
    if (refused === undefined) return true
    throw this.#refusal(refused, { call, exchange })
  }

  #refusal(refused: RefusedRequest, { call, exchange }: Call): Error {
    const isHttp = call.kind === 'http' && exchange !== undefined
    const { fields, body } = refused.answer((name) => (isHttp ? exchange.read(name) : undefined))
    if (isHttp) exchange.write(fields)
    const problem = JSON.parse(body) as Problem
    const retryAfter = fields['Retry-After']
    const complete =
      isHttp || retryAfter === undefined
        ? problem
        : { ...problem, 'retry-after': Number(retryAfter) }
    return this.#foreign.for(call.kind, { ...complete, status: refused.status })
  }
}

interface Call {
  readonly call: HandlerCall<unknown>
  /** Undefined when a call is not an HTTP request. */
  readonly exchange: Exchange | undefined
}

/** Returns the refusal, or undefined where the call may go on. Then its permits are held until its response is over. */
async function decided(
  limits: readonly HandlerLimit[],
  { call, exchange }: Call,
): Promise<RefusedRequest | undefined> {
  const under = new UnderLimits(exchange)
  try {
    for (const limit of limits) {
      const decision = await limit.guard.decide(callFor(limit, call), under.signal)
      if (decision.kind === 'refused') {
        await under.giveBack()
        setVerdict(call, decision.verdict)
        return decision
      }
      under.add(decision)
      if (exchange === undefined) assertEndless(limit, decision, call)
    }
  } catch (error) {
    await under.giveBack()
    if (under.signal.aborted) throw gone()
    throw error
  }
  if (under.signal.aborted) {
    await under.giveBack()
    throw gone()
  }
  under.begin()
  for (const decision of under.passed) {
    setVerdict(call, decision.verdict)
    if (call.kind === 'http' && exchange !== undefined && !exchange.response.headersSent)
      exchange.write(decision.fields((name) => exchange.read(name)))
  }
  return undefined
}

/** It could not be told at definition that a key reads the address: it is an error when the key reads one that clients choose. */
function callFor(limit: HandlerLimit, call: HandlerCall<unknown>): HandlerCall<unknown> {
  const { hidden } = limit
  if (hidden === undefined) return call
  const { request } = call
  const isObject = typeof request === 'object' && request !== null
  return hidden.of(isObject ? { ...call, request: hidden.of(request) } : call)
}

/** What the limits of a call have admitted; it is held until the response is over. */
class UnderLimits {
  readonly passed: PassedRequest[] = []
  readonly #gone = new AbortController()
  readonly #exchange: Exchange | undefined
  #mayEnd = false
  #status: number | undefined

  constructor(exchange: Exchange | undefined) {
    this.#exchange = exchange
    if (exchange === undefined) return
    const { request, response } = exchange
    onResponseEnd(request, response, (how) => {
      this.#status = how === 'finished' ? response.statusCode : undefined
      this.#gone.abort()
      this.#end()
    })
  }

  /** Aborts when the client has gone, and when the response is over. */
  get signal(): AbortSignal {
    return this.#gone.signal
  }

  add(decision: PassedRequest): void {
    this.passed.push(decision)
  }

  /** The call continues. Without a response its end is not known, and nothing waits for it. */
  begin(): void {
    this.#mayEnd = true
    if (this.#exchange === undefined || this.signal.aborted) this.#end()
  }

  async giveBack(): Promise<void> {
    await Promise.all(this.passed.map((each) => each.giveBack()))
  }

  #end(): void {
    if (this.#mayEnd) for (const each of this.passed) each.end(this.#status)
  }
}

/** @throws InvalidOptionError for an option that needs the end of a response, if there is none */
function assertEndless(
  limit: HandlerLimit,
  decision: PassedRequest,
  call: HandlerCall<unknown>,
): void {
  const needing = decision.hasPermits ? 'algorithm' : limit.refundsByStatus ? 'refundIf' : undefined
  if (needing === undefined) return
  throw new InvalidOptionError({
    option: `${limit.where}.${needing}`,
    expected: `what needs no end of a response, because a call of kind ${call.kind} has none here (@RateLimited of @larder/core knows when a method ends)`,
    received: needing === 'algorithm' ? 'concurrency' : 'a function',
  })
}

function gone(): HttpException {
  return new HttpException('Client Closed Request', CLIENT_CLOSED_REQUEST)
}

/** For handlers, as `request.rateLimit`. */
function setVerdict(
  { kind, request }: HandlerCall<unknown>,
  verdict: PassedRequest['verdict'],
): void {
  if ((kind !== 'http' && kind !== 'graphql') || typeof request !== 'object' || request === null)
    return
  const holder = request as { rateLimit?: PassedRequest['verdict'] | null }
  holder.rateLimit = tighter(holder.rateLimit, verdict)
}
