/** `@RateLimited`: so many calls of a method in so much time, in all processes together. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { RateLimitedError } from '../errors/rate-limit-error.ts'
import type { Key } from '../keys/key-text.ts'
import { capacityOf } from '../limits/capacity.ts'
import type { Limiter } from '../limits/limiter.ts'
import {
  LIMITER_OPTION_NAMES,
  type LimiterOptions,
  resolveLimiter,
} from '../limits/limiter-options.ts'
import type { LimiterPlace } from '../limits/limits.ts'
import type { RateLimitVerdict } from '../limits/verdict.ts'
import { assertFunction, assertInteger, assertKnownOptions } from '../options/assert-option.ts'
import { keySource } from './key-source.ts'
import { loadSignal } from './load-scope.ts'
import { managerFinder } from './manager-of.ts'
import {
  type AnyMethod,
  type AsyncMethod,
  assertCalledWithOptions,
  type FittingMethod,
  invoke,
  methodDecorator,
} from './method-decorator.ts'
import { cacheNameOf, type MethodSite } from './method-site.ts'
import { type Callback, callback } from './storing-options.ts'

type Args = readonly unknown[]

/** What a limit of a method adds to that of a limiter. */
export interface RateLimitedSettings<
  KeyArgs extends Args,
  CostArgs extends Args,
  SignalArgs extends Args,
> {
  /** Who is limited, from the arguments: a function or a template. Without it, all calls of the method together. */
  readonly key?: string | ((...args: KeyArgs) => Key) | undefined
  /** What a call costs; a whole number, 0 for nothing. @default 1 */
  readonly cost?: number | ((...args: CostArgs) => number) | undefined
  /** Ends the waiting with `onLimit: 'wait'`. @default that of the load the call is part of, if it is */
  readonly signal?: ((...args: SignalArgs) => AbortSignal | undefined) | undefined
}

/** What happens to a call above the limit. */
export interface OnLimit<LimitArgs extends Args, Instead> {
  /**
   * `throw`: RateLimitedError. `wait`: for its turn, up to `maxWait`, then RateLimitedError. `skip`: the method is not run
   * and the result is `undefined`. A function: its result instead. @default 'throw'
   */
  readonly onLimit?:
    | 'throw'
    | 'wait'
    | ((verdict: RateLimitVerdict, ...args: LimitArgs) => Instead | Promise<Instead>)
    | undefined
}

export type RateLimitedOptions<
  KeyArgs extends Args,
  CostArgs extends Args,
  SignalArgs extends Args,
> = LimiterOptions & RateLimitedSettings<KeyArgs, CostArgs, SignalArgs>

/** A method that fits the callbacks, and whose result may be `Instead`. */
export type LimitableMethod<Method extends AsyncMethod<unknown>, CallArgs extends Args, Instead> = [
  Instead,
] extends [Awaited<ReturnType<Method>>]
  ? FittingMethod<Method, CallArgs>
  : Method & { readonly 'onLimit gives what the method does not return': Instead }

/** Decorates a method that fits the callbacks; others do not compile, in either mode. */
export interface LimitedMethodDecorator<CallArgs extends Args, Instead> {
  /** Standard decorators. */
  <Method extends AsyncMethod<unknown>>(
    method: LimitableMethod<Method, CallArgs, Instead>,
    context: ClassMethodDecoratorContext,
  ): Method
  /** `experimentalDecorators`. */
  <Method extends AsyncMethod<unknown>>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<LimitableMethod<Method, CallArgs, Instead>>,
  ): TypedPropertyDescriptor<Method>
}

/** A manager that makes limiters. */
export interface LimitsOwner {
  limiter(options: LimiterOptions, place?: LimiterPlace): Limiter
}

const DECORATOR = '@RateLimited'
const OWN_NAMES = ['key', 'cost', 'signal', 'onLimit'] as const
/** How long a call waits for its turn where `maxWait` does not say. */
const DEFAULT_MAX_WAIT = '5s'

/**
 * Lets so many calls of a method through in so much time, in all processes of the namespace together.
 *
 * @throws InvalidOptionError at definition, naming the option. The method throws RateLimitedError above the limit, with
 *   `retryAfterMs`, and RateLimitUnavailableError when the store cannot say and `onStoreError` is `'closed'`.
 * @example
 * @RateLimited({ key: (ip: string) => ip, limit: 100, per: '1m' })
 * async search(ip: string, query: string): Promise<Product[]> { … }
 */
export function RateLimited<
  KeyArgs extends Args = [],
  CostArgs extends Args = [],
  SignalArgs extends Args = [],
  LimitArgs extends Args = [],
  Instead = never,
>(
  options: RateLimitedOptions<KeyArgs, CostArgs, SignalArgs> & OnLimit<LimitArgs, Instead>,
): LimitedMethodDecorator<KeyArgs | CostArgs | SignalArgs | LimitArgs, Instead>
export function RateLimited<
  KeyArgs extends Args = [],
  CostArgs extends Args = [],
  SignalArgs extends Args = [],
>(
  options: RateLimitedOptions<KeyArgs, CostArgs, SignalArgs> & { readonly onLimit: 'skip' },
): LimitedMethodDecorator<KeyArgs | CostArgs | SignalArgs, undefined>
export function RateLimited(...given: readonly [object]): LimitedMethodDecorator<never, never> {
  assertCalledWithOptions(DECORATOR, given)
  const [options] = given
  const { limiter, cost, signal, refused } = resolve(options)
  const { key } = options as Record<string, unknown>
  const keyOf = keySource(key ?? (() => 'all'), `${DECORATOR}.key`)()
  return methodDecorator(DECORATOR, (original, site) => {
    const where = (): string => `${DECORATOR}(${site.label})`
    const limiterFor = limiterFinder(site, limiter, where)
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        const found = limiterFor(this)
        const text = keyOf.of(this, args)
        const verdict = await found.consume(text, cost(this, args), {
          signal: signal === undefined ? loadSignal() : (signal.apply(this, args) as AbortSignal),
        })
        if (!verdict.allowed) return refused({ self: this, args, key: text, verdict })
        return found.hold(verdict, () => invoke(original, this, args, where()))
      },
    }
    return { method, operation: { kind: 'rate-limited', options } }
    // The two types differ in what they check at compile time only.
  }) as LimitedMethodDecorator<never, never>
}

interface Refusal {
  readonly self: unknown
  readonly args: Args
  readonly key: string
  readonly verdict: RateLimitVerdict
}

interface Resolved {
  readonly limiter: LimiterOptions
  cost(self: unknown, args: Args): number
  readonly signal: Callback | undefined
  /** What a refused call comes to. */
  refused(refusal: Refusal): unknown
}

/** @throws InvalidOptionError naming the first option that is unknown or wrong. */
function resolve(options: object): Resolved {
  assertKnownOptions(options, [...OWN_NAMES, ...LIMITER_OPTION_NAMES], DECORATOR)
  const {
    key: _,
    cost = 1,
    signal,
    onLimit = 'throw',
    ...rest
  } = options as Record<string, unknown>
  const isWaiting = onLimit === 'wait'
  if (!isWaiting && rest['maxWait'] !== undefined) {
    const expected = "onLimit: 'wait' to go with it"
    throw new InvalidOptionError({
      option: `${DECORATOR}.maxWait`,
      expected,
      received: rest['maxWait'],
    })
  }
  const limiter = {
    ...rest,
    maxWait: isWaiting ? (rest['maxWait'] ?? DEFAULT_MAX_WAIT) : 0,
  } as LimiterOptions
  const { rule } = resolveLimiter(limiter, DECORATOR)
  if (isWaiting && rule.maxWaitUs === 0) {
    const expected = "a time to wait, or another onLimit than 'wait'"
    throw new InvalidOptionError({ option: `${DECORATOR}.maxWait`, expected, received: 0 })
  }
  if (typeof cost !== 'function')
    assertInteger(cost, `${DECORATOR}.cost`, { min: 0, max: capacityOf(rule) })
  if (signal !== undefined) assertFunction(signal, `${DECORATOR}.signal`)
  const costOf = callback(cost)
  return {
    limiter,
    cost: (self, args) => (costOf?.apply(self, [...args]) ?? cost) as number,
    signal: callback(signal),
    refused: refusalOf(onLimit),
  }
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
    option: `${DECORATOR}.onLimit`,
    expected: '"throw" or "wait" or "skip" or a function of the verdict',
    received: onLimit,
  })
}

/** Finds the limiter of a method: the same one for as long as the manager is. */
function limiterFinder(
  site: MethodSite,
  options: LimiterOptions,
  where: () => string,
): (self: unknown) => Limiter {
  const managerOf = managerFinder(site)
  let last: { readonly manager: object; readonly limiter: Limiter } | undefined
  return (self) => {
    const manager = managerOf(self)
    if (last?.manager !== manager) {
      const place = { name: cacheNameOf(site.label), where: where() }
      last = { manager, limiter: ownerOf(manager, where).limiter(options, place) }
    }
    return last.limiter
  }
}

function ownerOf(manager: object, where: () => string): LimitsOwner {
  if ('limiter' in manager && typeof manager.limiter === 'function') return manager as LimitsOwner
  throw new InvalidOptionError({
    option: where(),
    expected: 'a manager that makes limiters, such as that of createCacheManager',
    received: manager,
  })
}
