/** The options of `@RateLimited`, and the checked form. */

import { loadSignal } from '../cache/load-scope.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { RateLimitedError } from '../errors/rate-limit-error.ts'
import type { Key } from '../keys/key-text.ts'
import { capacityOf } from '../limits/capacity.ts'
import type { ConsumeOptions } from '../limits/consume-options.ts'
import { LIMITER_OPTION_NAMES, type LimiterOptions } from '../limits/limiter-options.ts'
import { MOST } from '../limits/policy-options.ts'
import { type ResolvedLimiter, resolveLimiter } from '../limits/resolve-limiter.ts'
import type { RateLimitVerdict } from '../limits/verdict.ts'
import { assertFunction, assertInteger, assertKnownOptions } from '../options/assert-option.ts'
import { optionNames } from '../options/option-names.ts'
import { orDefault } from '../options/or-default.ts'
import { assertSynchronous, type Callback, callback } from './bound/callbacks.ts'
import type { AnnotateThis } from './bound/unannotated.ts'
import { type KeySource, keySource } from './reading/key-source.ts'

type Args = readonly unknown[]

/** The options that a method's limit adds to those of a limiter. */
export interface RateLimitedOwnOptions<
  KeyArgs extends Args,
  CostArgs extends Args,
  SignalArgs extends Args,
> {
  /** The subject that is limited, from the arguments: a function or a template. Without it, all calls of the method together. */
  readonly key?: string | ((...args: KeyArgs) => Key) | undefined
  /** What a call costs; a whole number, 0 for nothing. @default 1 */
  readonly cost?: number | ((...args: CostArgs) => number) | undefined
  /** Ends the waiting with `onLimit: 'wait'`. @default that of the load the call is part of, if any */
  readonly signal?: ((...args: SignalArgs) => AbortSignal | undefined) | undefined
}

/** What happens to a call above the limit. */
export interface OnLimit<InsteadArgs extends Args, Instead> {
  /**
   * `throw`: RateLimitedError. `wait`: for its turn, up to `maxWait`, then RateLimitedError. `skip`: the method is not run
   * and the result is `undefined`. A function: its result instead. @default 'throw'
   */
  readonly onLimit?:
    | 'throw'
    | 'wait'
    | ((verdict: RateLimitVerdict, ...args: InsteadArgs) => Instead | Promise<Instead>)
    | undefined
}

/** The options of `@RateLimited`, besides `onLimit`. */
export type RateLimitedOptions<
  KeyArgs extends Args,
  CostArgs extends Args,
  SignalArgs extends Args,
  LimitArgs extends Args = [],
> = LimiterOptions<LimitArgs> &
  RateLimitedOwnOptions<KeyArgs, CostArgs, SignalArgs> &
  ThisType<AnnotateThis>

/** The decorator's name in messages. */
export const RATE_LIMITED = '@RateLimited'
type OwnOptions = RateLimitedOwnOptions<[], [], []> & OnLimit<[], unknown>
const OWN_NAMES = optionNames<OwnOptions>({ key: true, cost: true, signal: true, onLimit: true })
/** How long a call waits for its turn where `maxWait` is left out. */
const DEFAULT_MAX_WAIT = '5s'
/** The defaults. */
export const RATE_LIMITED_DEFAULTS = { cost: 1, onLimit: 'throw' } as const

/** A call above the limit. */
export interface Refusal {
  readonly self: unknown
  readonly args: Args
  readonly key: string
  readonly verdict: RateLimitVerdict
}

/** The checked form. */
export interface ResolvedRateLimited {
  readonly limiter: ResolvedLimiter
  readonly key: KeySource
  cost(self: unknown, args: Args): number
  /** What may end the waiting; read before the first await, while the load that the call is part of is known. */
  signalFor(self: unknown, args: Args): ConsumeOptions
  /** Returns the outcome of a refused call. */
  refused(refusal: Refusal): unknown
}

/** @throws InvalidOptionError naming the first option that is unknown or wrong. */
export function resolveRateLimited(options: object): ResolvedRateLimited {
  assertKnownOptions(options, [...OWN_NAMES, ...LIMITER_OPTION_NAMES], RATE_LIMITED)
  const {
    key = () => 'all',
    cost = RATE_LIMITED_DEFAULTS.cost,
    signal,
    onLimit = RATE_LIMITED_DEFAULTS.onLimit,
    ...rest
  } = options as Record<string, unknown>
  const isWaiting = onLimit === 'wait'
  for (const name of ['maxWait', 'signal'] as const) {
    const received = name === 'signal' ? signal : rest[name]
    if (isWaiting || received === undefined) continue
    const expected = "onLimit: 'wait' to go with it"
    throw new InvalidOptionError({ option: `${RATE_LIMITED}.${name}`, expected, received })
  }
  const limiterOptions = {
    ...rest,
    maxWait: isWaiting ? orDefault(rest['maxWait'], DEFAULT_MAX_WAIT) : 0,
  } as LimiterOptions
  // Named after the method, once that is known.
  const limiter = resolveLimiter(limiterOptions, { where: RATE_LIMITED, name: 'method' })
  const { rule } = limiter.usual
  if (isWaiting && rule.maxWaitUs === 0) {
    const expected = "a time to wait, or another onLimit than 'wait'"
    throw new InvalidOptionError({ option: `${RATE_LIMITED}.maxWait`, expected, received: 0 })
  }
  if (typeof cost !== 'function')
    assertInteger(cost, `${RATE_LIMITED}.cost`, {
      min: 0,
      max: limiter.isLookedUp ? MOST : Math.min(MOST, capacityOf(rule).cost),
    })
  assertSynchronous(cost, `${RATE_LIMITED}.cost`)
  assertSynchronous(signal, `${RATE_LIMITED}.signal`)
  if (signal !== undefined) assertFunction(signal, `${RATE_LIMITED}.signal`)
  const costOf = callback(cost)
  return {
    limiter,
    key: keySource(key, `${RATE_LIMITED}.key`)(),
    cost: (self, args) => (costOf?.apply(self, [...args]) ?? cost) as number,
    signalFor: isWaiting ? signalSource(callback(signal)) : () => NO_SIGNAL,
    refused: refusalOf(onLimit),
  }
}

const NO_SIGNAL: ConsumeOptions = {}

function signalSource(signal: Callback | undefined): ResolvedRateLimited['signalFor'] {
  if (signal === undefined) return () => ({ signal: loadSignal() })
  return (self, args) => ({ signal: signal.apply(self, [...args]) as AbortSignal | undefined })
}

function refusalOf(onLimit: unknown): (refusal: Refusal) => unknown {
  if (onLimit === 'skip') return () => undefined
  const instead = callback(onLimit)
  if (instead !== undefined) {
    return ({ self, args, verdict }) => instead.call(self, verdict, ...args)
  }
  if (onLimit === 'throw' || onLimit === 'wait') {
    return ({ key, verdict }) => {
      throw new RateLimitedError(key, verdict)
    }
  }
  throw new InvalidOptionError({
    option: `${RATE_LIMITED}.onLimit`,
    expected: '"throw" or "wait" or "skip" or a function of the verdict',
    received: onLimit,
  })
}
