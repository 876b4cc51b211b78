/** `@RateLimited`: so many calls of a method in so much time, in all processes together. */

import { InvalidOptionError } from '../errors/option-error.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { LimiterOptions } from '../limits/limiter-options.ts'
import type { LimiterPlace } from '../limits/limits.ts'
import { currentScope, runLoad } from './load-scope.ts'
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
import {
  type OnLimit,
  RATE_LIMITED,
  type RateLimitedOptions,
  resolveRateLimited,
} from './rate-limited-options.ts'

type Args = readonly unknown[]

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
  InsteadArgs extends Args = [],
  Instead = never,
  LimitArgs extends Args = [],
>(
  options: RateLimitedOptions<KeyArgs, CostArgs, SignalArgs, LimitArgs> &
    OnLimit<InsteadArgs, Instead>,
): LimitedMethodDecorator<KeyArgs | CostArgs | SignalArgs | InsteadArgs | LimitArgs, Instead>
export function RateLimited<
  KeyArgs extends Args = [],
  CostArgs extends Args = [],
  SignalArgs extends Args = [],
  LimitArgs extends Args = [],
>(
  options: RateLimitedOptions<KeyArgs, CostArgs, SignalArgs, LimitArgs> & {
    readonly onLimit: 'skip'
  },
): LimitedMethodDecorator<KeyArgs | CostArgs | SignalArgs | LimitArgs, undefined>
export function RateLimited(...given: readonly [object]): LimitedMethodDecorator<never, never> {
  assertCalledWithOptions(RATE_LIMITED, given)
  const [options] = given
  const { limiter, key, cost, signalFor, refused } = resolveRateLimited(options)
  return methodDecorator(RATE_LIMITED, (original, site) => {
    const where = (): string => `${RATE_LIMITED}(${site.label})`
    const limiterFor = limiterFinder(site, limiter, where)
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        const found = limiterFor(this)
        const text = key.of(this, args)
        const scope = currentScope()
        const run = (): Promise<unknown> => invoke(original, this, args, where())
        const call = { ...signalFor(this, args), self: this, args }
        const verdict = await found.consume(text, cost(this, args), call)
        if (!verdict.allowed) return refused({ self: this, args, key: text, verdict })
        // As part of the load that the call was part of before the store was asked.
        return found.hold(verdict, () => (scope === undefined ? run() : runLoad(scope, run)))
      },
    }
    return { method, operation: { kind: 'rate-limited', options } }
    // The two types differ in what they check at compile time only.
  }) as LimitedMethodDecorator<never, never>
}

/** Limiters named after a method, by manager: two classes of one name must not share a limit unawares. */
const ownNames = new WeakMap<object, Map<string, MethodSite>>()

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
      if (options.name === undefined) claimName(manager, site, where)
      const place = { name: cacheNameOf(site.label), where: where() }
      last = { manager, limiter: ownerOf(manager, where).limiter(options, place) }
    }
    return last.limiter
  }
}

/** @throws InvalidOptionError when the method's own name will not do */
function claimName(manager: object, site: MethodSite, where: () => string): void {
  const taken = ownNames.get(manager) ?? new Map<string, MethodSite>()
  ownNames.set(manager, taken)
  const holder = taken.get(site.label)
  const isAnonymous = site.label.startsWith('.')
  if (isAnonymous || (holder !== undefined && !holder.isSame(site))) {
    const why = isAnonymous
      ? 'the class has no name'
      : 'another class of this name has a method of this name'
    const expected = `the name of a limiter, because ${why}`
    throw new InvalidOptionError({ option: `${where()}.name`, expected, received: undefined })
  }
  taken.set(site.label, site)
}

function ownerOf(manager: object, where: () => string): LimitsOwner {
  if ('limiter' in manager && typeof manager.limiter === 'function') return manager as LimitsOwner
  throw new InvalidOptionError({
    option: where(),
    expected: 'a manager that makes limiters, such as that of createCacheManager',
    received: manager,
  })
}
