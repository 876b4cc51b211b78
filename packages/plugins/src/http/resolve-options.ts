/** Checks the options of a rate limit for HTTP, and adds the defaults. */

import { InvalidOptionError, type Limiter, type RateLimitHeaderOptions } from '@larder/core'
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownOptions,
  assertOneOf,
  INTERNALS,
  optionNames,
  parseDuration,
} from '@larder/core/store'
import type {
  AddressLimit,
  LimitCost,
  LimitKey,
  RateLimitOptions,
  RateLimitSettings,
} from './rate-limit-options.ts'

/** A limiter of a guard, checked. */
export interface ResolvedLimit<Request> {
  readonly limiter: Limiter
  readonly key: LimitKey<Request>
  readonly cost: LimitCost<Request>
}

export interface ResolvedOptions<Request> {
  readonly limits: readonly ResolvedLimit<Request>[]
  readonly settings: RateLimitSettings<Request>
  /** For `rateLimitHeaders`, without what depends on a request. */
  readonly fieldOptions: RateLimitHeaderOptions
}

/** Where options stand, and what a framework adds. */
export interface GuardPlace<Request> {
  /** For messages, such as `rateLimit`. */
  readonly where: string
  /** Makes the key of an address, where the framework knows it. */
  readonly addressKey?: LimitKey<Request> | undefined
}

/** The defaults. */
export const RATE_LIMIT_DEFAULTS = {
  cost: 1,
  onStoreError: 'closed',
  draft: 11,
  legacy: false,
  jitter: 0,
} as const

/** Names of the options that say how a limit applies. */
export const SETTING_NAMES = optionNames<RateLimitSettings<unknown>>({
  skip: true,
  refundIf: true,
  onStoreError: true,
  draft: true,
  legacy: true,
  jitter: true,
  partitionKey: true,
  problem: true,
})
const LIMIT_NAMES = optionNames<AddressLimit<unknown>>({ limiter: true, key: true, cost: true })
/** Names of all options that frameworks have in common. */
export const RATE_LIMIT_NAMES = [...LIMIT_NAMES, 'limits', ...SETTING_NAMES]
const MOST_LIMITS = 16
const MOST_COST = 1_000_000_000

/** @throws InvalidOptionError */
export function resolveOptions<Request>(
  options: RateLimitOptions<Request, AddressLimit<Request>>,
  place: GuardPlace<Request>,
): ResolvedOptions<Request> {
  const { where } = place
  assertKnownOptions(options, RATE_LIMIT_NAMES, where)
  const settings: RateLimitSettings<Request> = options
  for (const name of ['skip', 'refundIf', 'problem'] as const) {
    if (settings[name] !== undefined) assertFunction(settings[name], `${where}.${name}`)
  }
  const { onStoreError = 'closed', draft = 11, legacy = false, jitter = 0, partitionKey } = settings
  assertOneOf(onStoreError, ['closed', 'open'], `${where}.onStoreError`)
  assertOneOf(draft, [10, 11], `${where}.draft`)
  assertBoolean(legacy, `${where}.legacy`)
  parseDuration(jitter, `${where}.jitter`)
  if (partitionKey !== undefined && typeof partitionKey !== 'string')
    assertFunction(partitionKey, `${where}.partitionKey`)
  const limits = limitsOf(options, where).map(([limit, at]) => resolveLimit(limit, at, place))
  return { limits, settings, fieldOptions: { draft, legacy, jitter } }
}

function limitsOf<Request>(
  options: RateLimitOptions<Request, AddressLimit<Request>>,
  where: string,
): readonly (readonly [AddressLimit<Request>, string])[] {
  const { limits } = options
  if (limits === undefined) return [[options as AddressLimit<Request>, where]]
  if (!Array.isArray(limits) || limits.length === 0 || limits.length > MOST_LIMITS) {
    const expected = `a list of at least one limit and at most ${MOST_LIMITS}`
    throw new InvalidOptionError({ option: `${where}.limits`, expected, received: limits })
  }
  for (const name of LIMIT_NAMES) {
    const received: unknown = options[name]
    if (received === undefined) continue
    const expected = 'to be an option of one of the limits'
    throw new InvalidOptionError({ option: `${where}.${name}`, expected, received })
  }
  return limits.map((limit, i) => {
    assertKnownOptions(limit, LIMIT_NAMES, `${where}.limits[${i}]`)
    return [limit as AddressLimit<Request>, `${where}.limits[${i}]`] as const
  })
}

function resolveLimit<Request>(
  { limiter, key = 'address', cost = RATE_LIMIT_DEFAULTS.cost }: AddressLimit<Request>,
  at: string,
  { addressKey }: GuardPlace<Request>,
): ResolvedLimit<Request> {
  const isLimiter = typeof (limiter as Partial<Limiter> | undefined)?.[INTERNALS] === 'object'
  if (!isLimiter || typeof limiter.consume !== 'function') {
    const expected = 'a limiter of caches.limiter(…)'
    throw new InvalidOptionError({ option: `${at}.limiter`, expected, received: limiter })
  }
  if (typeof cost !== 'function') assertInteger(cost, `${at}.cost`, { min: 0, max: MOST_COST })
  if (typeof key === 'function') return { limiter, key, cost }
  if (key === 'address' && addressKey !== undefined) return { limiter, key: addressKey, cost }
  const expected =
    addressKey === undefined
      ? 'a function that says whom a request counts for: here requests have no address'
      : "'address', or a function that says whom a request counts for"
  const received = key === 'address' && addressKey === undefined ? undefined : key
  throw new InvalidOptionError({ option: `${at}.key`, expected, received })
}
