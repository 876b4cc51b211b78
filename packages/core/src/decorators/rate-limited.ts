/** `@RateLimited`: limits the calls of a method per time, in all processes together. */

import { currentScope, runLoad } from '../cache/load-scope.ts'
import { INTERNALS } from '../contracts/internals.ts'
import { keyErrorAt } from '../errors/key-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { ResolvedLimiter } from '../limits/resolve-limiter.ts'
import { invoke, MethodBinder, reserveName } from './bound/bound-method.ts'
import {
  type AnyMethod,
  type AsyncMethod,
  assertCalledWithOptions,
  type FittingMethod,
  methodDecorator,
} from './bound/method-decorator.ts'
import { cacheNameOf } from './bound/method-site.ts'
import { assertLasting } from './bound/names.ts'
import type { ArgsOf, WriteParentheses } from './bound/unannotated.ts'
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
] extends [never]
  ? FittingMethod<Method, CallArgs>
  : Instead extends infer _Instead extends Awaited<ReturnType<Method>>
    ? FittingMethod<Method, CallArgs>
    : Method & { readonly 'onLimit gives what the method does not return': Instead }

/** Decorates a method that fits the callbacks; other methods do not compile, in either mode. */
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
  readonly [INTERNALS]: {
    limiter(limiter: ResolvedLimiter): Limiter
  }
}

/**
 * Lets a number of calls of a method through per time, in all processes of the namespace together.
 *
 * @throws InvalidOptionError at definition, naming the option. The method throws RateLimitedError above the limit, with
 *   `retryAfterMs`, and RateLimitUnavailableError when the store cannot decide and `onStoreError` is `'closed'`.
 * @example `@RateLimited({ key: (ip: string) => ip, limit: 100, per: '1m' }) async search(ip: string): Promise<Hit[]> { … }`
 */
export function RateLimited<
  AnnotateKeyArgs extends Args = [],
  AnnotateCostArgs extends Args = [],
  AnnotateSignalArgs extends Args = [],
  AnnotateOnLimitArgs extends Args = [],
  Instead = never,
  AnnotateLimitArgs extends Args = [],
>(
  options: RateLimitedOptions<
    AnnotateKeyArgs,
    AnnotateCostArgs,
    AnnotateSignalArgs,
    AnnotateLimitArgs
  > &
    OnLimit<AnnotateOnLimitArgs, Instead>,
): LimitedMethodDecorator<
  ArgsOf<
    | AnnotateKeyArgs
    | AnnotateCostArgs
    | AnnotateSignalArgs
    | AnnotateOnLimitArgs
    | AnnotateLimitArgs
  >,
  Instead
>
export function RateLimited<
  AnnotateKeyArgs extends Args = [],
  AnnotateCostArgs extends Args = [],
  AnnotateSignalArgs extends Args = [],
  AnnotateLimitArgs extends Args = [],
>(
  options: RateLimitedOptions<
    AnnotateKeyArgs,
    AnnotateCostArgs,
    AnnotateSignalArgs,
    AnnotateLimitArgs
  > & { readonly onLimit: 'skip' },
): LimitedMethodDecorator<
  ArgsOf<AnnotateKeyArgs | AnnotateCostArgs | AnnotateSignalArgs | AnnotateLimitArgs>,
  undefined
>
export function RateLimited(
  target: object,
  context: unknown,
  descriptor?: unknown,
): WriteParentheses<'@RateLimited'>
export function RateLimited(...given: readonly [object]): unknown {
  assertCalledWithOptions(RATE_LIMITED, given)
  const [options] = given
  const { limiter, key, cost, signalFor, refused } = resolveRateLimited(options)
  const askedOf = (self: unknown, args: Args, where: string): Asked => {
    try {
      return { key: key.of(self, args), cost: cost(self, args) }
    } catch (error) {
      throw keyErrorAt(error, where)
    }
  }
  return methodDecorator(RATE_LIMITED, (original, site) => {
    const binder = new MethodBinder({
      decorator: RATE_LIMITED,
      site,
      needsOpen: true,
      tie: (bound) => {
        const { where, provider } = bound
        const { label } = bound.receiver
        if (!limiter.isNamed) {
          const expected = 'the name of a limiter'
          assertLasting(bound, `${where}.name`, expected)
          reserveName(bound, { name: `limiter ${label}`, option: `${where}.name`, expected })
        }
        const placed = limiter.at({ where, name: cacheNameOf(label) })
        return { ...bound, limiter: ownerOf(provider, where)[INTERNALS].limiter(placed) }
      },
    })
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        const { limiter: found, where } = binder.bind(this)
        const scope = currentScope()
        const run = (): Promise<unknown> => invoke(original, this, args, where)
        const ask = (): Asked => askedOf(this, args, where)
        const call = { ...signalFor(this, args), self: this, args }
        /** Counts the call for the subject that it has when it runs: see `Asked`. */
        const attempt = async (asked: Asked, tries: number): Promise<unknown> => {
          const verdict = await found.consume(asked.key, asked.cost, call)
          if (!verdict.allowed) return refused({ self: this, args, key: asked.key, verdict })
          return found[INTERNALS].hold(verdict, () => {
            const more = key.canChange(args)
              ? outstanding(asked, ask(), { where, tries })
              : undefined
            if (more !== undefined) return attempt(more, tries + 1)
            // As part of the load to which the call belonged before the store was asked.
            return scope === undefined ? run() : runLoad(scope, run)
          })
        }
        return attempt(ask(), 0)
      },
    }
    return { method, operation: { kind: 'rate-limited', options } }
  })
}

/**
 * The limited subject and the cost of a call, from the arguments at one moment. While the store was asked or a turn was waited
 * for, the caller may have changed the arguments: then the missing part is asked for, too, before the method runs.
 */
interface Asked {
  readonly key: string
  readonly cost: number
}

const MOST_TRIES = 5

/** @throws InvalidOptionError when the arguments keep changing */
function outstanding(
  paid: Asked,
  now: Asked,
  { where, tries }: { readonly where: string; readonly tries: number },
): Asked | undefined {
  const isSame = paid.key === now.key
  if (isSame && now.cost <= paid.cost) return undefined
  if (tries < MOST_TRIES) return isSame ? { key: now.key, cost: now.cost - paid.cost } : now
  throw new InvalidOptionError({
    option: `the arguments of ${where}`,
    expected: 'to make the same key when the call is admitted as when it was counted',
    received: 'others each time',
  })
}

function ownerOf(manager: object, where: string): LimitsOwner {
  const { limiter } = (manager as Partial<LimitsOwner>)[INTERNALS] ?? {}
  if (typeof limiter === 'function') return manager as LimitsOwner
  throw new InvalidOptionError({
    option: where,
    expected: 'a manager that makes limiters, such as that of createCacheManager',
    received: manager,
  })
}
