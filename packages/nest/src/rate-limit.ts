/** `@RateLimit`: the limit of a handler, as metadata that the guard reads. */

import { InvalidOptionError, type LimiterOptions, type OnStoreError } from '@larder/core'
import {
  assertBoolean,
  assertKnownOptions,
  LIMITER_OPTION_NAMES,
  resolveLimiter,
} from '@larder/core/store'
import {
  type LimitCost,
  type LimitKey,
  type ProxyTrust,
  RATE_LIMIT_NAMES,
  type RateLimitSettings,
} from '@larder/plugins/http'
import type { HandlerCall, HttpRequest } from './rate-limit-call.ts'

/** Options of a limiter, and how it applies to the calls of a handler. */
export type RateLimitOptions<Request = HttpRequest> = LimiterOptions &
  Omit<RateLimitSettings<HandlerCall<Request>>, 'onStoreError'> &
  ProxyTrust & {
    /** Whom a call counts for; `'address'`: the address of the client, an IPv6 address by its network. @default 'address' */
    readonly key?: 'address' | LimitKey<HandlerCall<Request>> | undefined
    /** What a call costs. @default 1 */
    readonly cost?: LimitCost<HandlerCall<Request>> | undefined
    /** What happens when the store cannot decide. @default 'local' where the manager has a local store with limits, else 'closed' */
    readonly onStoreError?: OnStoreError | undefined
  }

/** A checked `@RateLimit`. */
export interface SaidLimit {
  /** The options of the limiter. If they have no name, it is made from the name of the handler. */
  readonly limiter: LimiterOptions
  /** The other options: how the limit applies. */
  readonly settings: RateLimitSettings<HandlerCall<unknown>> & {
    readonly key?: 'address' | LimitKey<HandlerCall<unknown>> | undefined
    readonly cost?: LimitCost<HandlerCall<unknown>> | undefined
  }
  readonly trustsAnyProxy: boolean
}

/** `SaidLimit`s of a method or of a class. An empty list: no limit. */
export const RATE_LIMITS = Symbol.for('@larder/nest/rate limits')

const WHERE = '@RateLimit'
const SETTING_NAMES = RATE_LIMIT_NAMES.filter((name) => name !== 'limiter' && name !== 'limits')
const NAMES = [...new Set([...SETTING_NAMES, ...LIMITER_OPTION_NAMES, 'trustsAnyProxy'])]

/**
 * Limits the calls of a handler; on a class, the calls of all its handlers that have no limit of their own, counted together. It needs
 * `LarderRateLimitGuard`, which is checked when the application starts. With several on one method, a call is admitted by all of them, or
 * counts in none. `false` on a method: the limit of the class does not count it.
 *
 * @throws InvalidOptionError at definition, naming the option
 * @example
 * @Get('search')
 * @UseGuards(LarderRateLimitGuard)
 * @RateLimit({ limit: 100, per: '1m' })
 * search() {}
 */
export function RateLimit<Request = HttpRequest>(
  options: RateLimitOptions<Request> | false,
): MethodDecorator & ClassDecorator {
  const said = options === false ? undefined : resolve(options as RateLimitOptions<unknown>)
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const holder: unknown = name === undefined ? target : descriptor?.value
    if (typeof holder !== 'function') {
      const expected = 'a method or a class to decorate, under experimentalDecorators'
      throw new InvalidOptionError({ option: WHERE, expected, received: holder })
    }
    const own = Reflect.getOwnMetadata(RATE_LIMITS, holder) as readonly SaidLimit[] | undefined
    // Decorators run from the method outwards, and limits are asked in the order in which they stand.
    const all = said === undefined ? [] : [said, ...(own ?? [])]
    Reflect.defineMetadata(RATE_LIMITS, all, holder)
  }
}

function resolve(options: RateLimitOptions<unknown>): SaidLimit {
  assertKnownOptions(options, NAMES, WHERE)
  const { trustsAnyProxy = false } = options
  assertBoolean(trustsAnyProxy, `${WHERE}.trustsAnyProxy`)
  const limiter = picked(options, LIMITER_OPTION_NAMES) as unknown as LimiterOptions
  // To check them.
  resolveLimiter(limiter, { where: WHERE, name: 'handler' })
  const rest = SETTING_NAMES.filter((name) => name !== 'onStoreError')
  return { limiter, settings: picked(options, rest), trustsAnyProxy }
}

function picked(options: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)))
}
