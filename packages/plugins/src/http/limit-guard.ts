/** Decides on requests: asks the limiters one after the other, and counts a request in all of them or in none. */

import {
  ClosedError,
  InvalidOptionError,
  type Key,
  KeyError,
  type Limiter,
  RateLimitUnavailableError,
  type RateLimitVerdict,
  rateLimitProblem,
} from '@larder/core'
import { Admissions } from './admissions.ts'
import { answered, type LimitDecision, passed, refused } from './decision.ts'
import type { AddressLimit, HttpProblem, LimitKey, RateLimitOptions } from './rate-limit-options.ts'
import { type GuardPlace, type ResolvedOptions, resolveOptions } from './resolve-options.ts'
import type { Standing } from './standings.ts'

/** A call of one limiter. */
interface Call {
  readonly limiter: Limiter
  readonly key: Key
  readonly cost: number
  /** The cost was returned by a function, so a client may have caused it. */
  readonly isComputed: boolean
}

const NO_ADDRESS: HttpProblem = {
  type: 'about:blank',
  title: 'Bad Request',
  status: 400,
  detail: 'The address that the request is said to come from is not an IP address.',
}

/** Decides on requests of one kind of framework. */
export class LimitGuard<Request> {
  readonly #options: ResolvedOptions<Request>
  readonly #where: string

  /** @throws InvalidOptionError */
  constructor(
    options: RateLimitOptions<Request, AddressLimit<Request>>,
    place: GuardPlace<Request>,
  ) {
    this.#options = resolveOptions(options, place)
    this.#where = place.where
  }

  /**
   * Counts a request where all limiters admit it, after its turn has come where they let it wait.
   *
   * @param signal - Aborts when the client has gone: then nothing of the request counts.
   * @throws the signal's reason; what the functions among the options throw, but for a KeyError
   */
  async decide(request: Request, signal: AbortSignal): Promise<LimitDecision> {
    const { skip } = this.#options.settings
    const admissions = new Admissions()
    if (skip !== undefined && (await skip(request))) return this.#passed(request, [], admissions)
    const calls = await this.#callsOf(request)
    if (calls === undefined) return answered(NO_ADDRESS, this.#wordsFor(request))
    try {
      return await this.#ask(request, { calls, admissions, signal })
    } catch (error) {
      await admissions.giveBack()
      throw error
    }
  }

  async #ask(
    request: Request,
    {
      calls,
      admissions,
      signal,
    }: { calls: readonly Call[]; admissions: Admissions; signal: AbortSignal },
  ): Promise<LimitDecision> {
    const standings: Standing[] = []
    for (const call of calls) {
      const verdict = await consume(call, signal)
      if (verdict === undefined) {
        if (this.#options.settings.onStoreError === 'open') continue
        // Not waited for: the store that is asked to give back may be the one that does not answer.
        void admissions.giveBack()
        const problem = rateLimitProblem([], 'temporary-reduced-capacity')
        return answered(problem, this.#wordsFor(request))
      }
      standings.push({ limiter: call.limiter.name, verdict })
      if (!verdict.allowed) {
        await admissions.giveBack()
        const options = this.#fieldOptionsFor(request)
        return refused(standings, { options, problem: this.#wordsFor(request) })
      }
      admissions.add(call.limiter, verdict)
    }
    return this.#passed(request, standings, admissions)
  }

  /** All of them before any limiter is asked. Undefined where a key cannot be made, because a client has no address. */
  async #callsOf(request: Request): Promise<readonly Call[] | undefined> {
    const calls: Call[] = []
    for (const { limiter, key, cost } of this.#options.limits) {
      const made = await keyOf(request, key)
      if (made === undefined) return undefined
      const isComputed = typeof cost === 'function'
      const price = isComputed ? await cost(request) : cost
      calls.push({ limiter, key: made.key, cost: price, isComputed })
    }
    return calls
  }

  #passed(request: Request, standings: readonly Standing[], admissions: Admissions): LimitDecision {
    const { refundIf } = this.#options.settings
    return passed(standings, admissions, {
      options: this.#fieldOptionsFor(request),
      refundIf: refundIf === undefined ? undefined : (status) => refundIf(status, request),
    })
  }

  #fieldOptionsFor(request: Request): ResolvedOptions<Request>['fieldOptions'] {
    const { settings, fieldOptions } = this.#options
    const { partitionKey } = settings
    if (partitionKey === undefined) return fieldOptions
    const text = typeof partitionKey === 'function' ? partitionKey(request) : partitionKey
    return { ...fieldOptions, partitionKey: text }
  }

  #wordsFor(request: Request): (problem: HttpProblem) => object {
    const { problem } = this.#options.settings
    if (problem === undefined) return (usual) => usual
    return (usual) => {
      const received: unknown = problem(usual, request)
      if (typeof received === 'object' && received !== null) return received
      const expected = 'a function that returns the problem document, an object'
      throw new InvalidOptionError({ option: `${this.#where}.problem`, expected, received })
    }
  }
}

/** Undefined when there is nothing to make a key from. */
async function keyOf<Request>(
  request: Request,
  make: LimitKey<Request>,
): Promise<{ readonly key: Key } | undefined> {
  try {
    return { key: await make(request) }
  } catch (error) {
    if (error instanceof KeyError) return undefined
    throw error
  }
}

/** Undefined where the limiter cannot decide. */
async function consume(call: Call, signal: AbortSignal): Promise<RateLimitVerdict | undefined> {
  const { limiter, key, cost } = call
  try {
    return await limiter.consume(key, cost, { signal })
  } catch (error) {
    if (isUndecided(error)) return undefined
    if (!call.isComputed || !isTooDear(error, call)) throw error
  }
  try {
    return neverAdmitted(await limiter.peek(key, 0))
  } catch (error) {
    if (isUndecided(error)) return undefined
    throw error
  }
}

function isUndecided(error: unknown): boolean {
  return error instanceof RateLimitUnavailableError || error instanceof ClosedError
}

/** A whole number that is more than the limiter ever admits at once. */
function isTooDear(error: unknown, { limiter, cost }: Call): boolean {
  const isAboutCost =
    error instanceof InvalidOptionError && error.option === `limiter(${limiter.name}).cost`
  return isAboutCost && Number.isInteger(cost) && cost > 0
}

/** The refusal of a call that costs too much: coming back later does not help. */
function neverAdmitted(standing: RateLimitVerdict): RateLimitVerdict {
  const { policies, ...verdict } = { ...standing, policies: standing.policies }
  const smallest = policies.toSorted((one, other) => one.limit - other.limit)[0]
  return {
    ...verdict,
    policies,
    ...(smallest === undefined ? {} : { policy: smallest.name, limit: smallest.limit }),
    allowed: false,
    withinLimit: false,
    retryAfterMs: Number.POSITIVE_INFINITY,
  }
}
