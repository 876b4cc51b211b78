/** The policies of a limiter: what a user may say, the defaults, and the checked form the stores work with. */

import type { CalendarPeriod, LimitPolicy } from '../contracts/rate-limit-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import {
  assertBoolean,
  assertInteger,
  assertKnownOptions,
  assertOneOf,
} from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { assertName } from '../options/name.ts'
import { optionNames } from '../options/option-names.ts'
import { orDefault } from '../options/or-default.ts'
import { CalendarEdges } from './calendar-edges.ts'

/**
 * A limit that is looked up: from the arguments of the decorated method, or from the key of `limiter.consume`. What it
 * returns at once is asked for at every call; what it promises is believed for `limitTtl`.
 */
export type LimitOf<Args extends readonly unknown[] = [key: string]> = (
  ...args: Args
) => number | PromiseLike<number>

/** How much is allowed how often. */
export interface PolicyOptions<Args extends readonly unknown[] = [key: string]> {
  /** Names it in verdicts, headers and the store: what is renamed begins anew. @default 'default' */
  readonly name?: string | undefined
  /** The most cost admitted per `per`; 0 refuses all. A function where it differs from caller to caller. */
  readonly limit: number | LimitOf<Args>
  /**
   * The window, or a period of the calendar: `'hour'`, `'day'`, `'week'` (from Monday on), `'month'`. 1 ms to 10 years.
   */
  readonly per: Duration | CalendarPeriod
  /**
   * `exact`: never more than `limit` in any window; remembers each admission, so up to a limit of 10 000. `window`: never
   * more, in little memory; admits a little less under constant pressure. `smooth`: permits come back one by one (token
   * bucket). `fixed`: per period that begins with the first call. @default 'exact' up to 1000, 'window' above
   * and where the limit is a function; for periods of the calendar 'fixed', which is all they can be
   */
  readonly algorithm?: 'exact' | 'window' | 'smooth' | 'fixed' | undefined
  /** For `window`: how finely it counts; it admits at least `slices / (slices + 1)` of the limit. 1 to 60. @default 10 */
  readonly slices?: number | undefined
  /** For `smooth`: how many at once, and so the most a call may cost. @default the limit, or with `hard` half of it */
  readonly burst?: number | undefined
  /** For `smooth`: slow enough that no window ever gets more than `limit`, bursts included. @default false */
  readonly hard?: boolean | undefined
  /** For periods of the calendar: whose midnight, as an IANA name. @default 'UTC' */
  readonly timeZone?: string | undefined
}

/** How much is allowed at the same time. */
export interface ConcurrencyOptions<Args extends readonly unknown[] = [key: string]> {
  readonly name?: string | undefined
  readonly algorithm: 'concurrency'
  /** The most cost under way at a time. Up to 10 000; 0 refuses all. A function where it differs from caller to caller. */
  readonly limit: number | LimitOf<Args>
  /** After this, a permit that was neither given back nor renewed is free again. 1 s to 1 d. @default '30s' */
  readonly lease?: Duration | undefined
  readonly per?: undefined
}

export const POLICY_OPTION_NAMES = optionNames<PolicyOptions & ConcurrencyOptions>({
  name: true,
  limit: true,
  per: true,
  algorithm: true,
  slices: true,
  burst: true,
  hard: true,
  timeZone: true,
  lease: true,
})

/** What holds when nobody says otherwise. */
export const POLICY_DEFAULTS = {
  name: 'default',
  slices: 10,
  hard: false,
  timeZone: 'UTC',
} as const satisfies Partial<PolicyOptions>

/** The same of `concurrency`. */
export const CONCURRENCY_DEFAULTS = { lease: '30s' } as const satisfies Partial<ConcurrencyOptions>

const ALGORITHMS = ['exact', 'window', 'smooth', 'fixed', 'concurrency'] as const
const PERIODS: readonly unknown[] = ['hour', 'day', 'week', 'month'] satisfies CalendarPeriod[]
/** Which algorithm an option belongs to. */
const OWNERS: Readonly<Record<string, string>> = {
  slices: 'window',
  burst: 'smooth',
  hard: 'smooth',
  lease: 'concurrency',
}

/** The largest limit of any algorithm. */
export const MOST = 1_000_000_000
/** What one key of an exact policy may remember. */
const MOST_REMEMBERED = 10_000
const EXACT_BY_DEFAULT = 1_000
const MOST_SLICES = 60
const MS_PER_DAY = 86_400_000
const US_PER_MS = 1_000
/** Ten years: what a bucket may take to refill, so that no time gets near 2^53 µs. */
const LONGEST_REFILL_US = 3_650 * MS_PER_DAY * US_PER_MS

/** A policy whose limit is known. */
export type KnownPolicy = (PolicyOptions | ConcurrencyOptions) & { readonly limit: number }

/**
 * Checks a policy. Where its limit was looked up, a burst is no more than goes with that: a small plan is nobody's mistake.
 *
 * @throws InvalidOptionError naming the first option that is unknown or wrong.
 */
export function resolvePolicy(
  options: KnownPolicy,
  where: string,
  isLookedUp = false,
): LimitPolicy {
  assertKnownOptions(options, POLICY_OPTION_NAMES, where)
  const { name = POLICY_DEFAULTS.name, limit, per } = options
  assertName(name, `${where}.name`)
  const algorithm = algorithmOf(options, where)
  assertOwners(options, algorithm, where)
  const isShort = algorithm === 'exact' || algorithm === 'concurrency'
  assertInteger(limit, `${where}.limit`, { min: 0, max: isShort ? MOST_REMEMBERED : MOST })
  if (options.algorithm === 'concurrency') {
    const leaseMs = parseDuration(
      orDefault(options.lease, CONCURRENCY_DEFAULTS.lease),
      `${where}.lease`,
      {
        min: 1_000,
        max: MS_PER_DAY,
      },
    )
    return { name, limit, algorithm: 'concurrency', leaseUs: leaseMs * US_PER_MS }
  }
  if (isPeriod(per)) return calendarPolicy({ name, limit, period: per }, options, where)
  const windowUs = parseDuration(per as Duration, `${where}.per`, { min: 1 }) * US_PER_MS
  if (algorithm === 'window') return slicedPolicy({ name, limit, windowUs }, options, where)
  if (algorithm === 'smooth')
    return smoothPolicy({ name, limit, windowUs, isLookedUp }, options, where)
  return { name, limit, windowUs, algorithm: algorithm === 'fixed' ? 'fixed' : 'exact' }
}

function isPeriod(per: unknown): per is CalendarPeriod {
  return PERIODS.includes(per)
}

function algorithmOf(options: KnownPolicy, where: string): string {
  const { algorithm, per, limit } = options
  if (algorithm !== undefined) assertOneOf(algorithm, ALGORITHMS, `${where}.algorithm`)
  if (!isPeriod(per)) return algorithm ?? (isAbove(limit, EXACT_BY_DEFAULT) ? 'window' : 'exact')
  if (algorithm === undefined || algorithm === 'fixed') return 'calendar'
  throw new InvalidOptionError({
    option: `${where}.algorithm`,
    expected: '"fixed" with a period of the calendar, or a duration as per',
    received: algorithm,
  })
}

/** Of a limit that is not checked yet: which checks it passes depends on the algorithm. */
function isAbove(limit: unknown, bound: number): boolean {
  return typeof limit === 'number' && limit > bound
}

/** An option that would have no effect is a misunderstanding. */
function assertOwners(options: object, algorithm: string, where: string): void {
  for (const [option, received] of Object.entries(options)) {
    const owner = option === 'timeZone' ? 'calendar' : (OWNERS[option] ?? algorithm)
    const isStray = owner !== algorithm || (option === 'per' && algorithm === 'concurrency')
    if (received === undefined || !isStray) continue
    const expected =
      owner === 'calendar'
        ? "a period of the calendar as per, such as 'day', to go with it"
        : option === 'per'
          ? 'to be left out with algorithm "concurrency", which counts what is under way'
          : `algorithm: "${owner}" to go with it`
    throw new InvalidOptionError({ option: `${where}.${option}`, expected, received })
  }
}

interface Basics {
  readonly name: string
  readonly limit: number
  readonly windowUs: number
}

function slicedPolicy(basics: Basics, options: PolicyOptions, where: string): LimitPolicy {
  const { slices = POLICY_DEFAULTS.slices } = options
  assertInteger(slices, `${where}.slices`, { min: 1, max: MOST_SLICES })
  const { name, limit, windowUs } = basics
  // Rounded up: so many slices are never less than a window.
  return { name, limit, windowUs, algorithm: 'window', slices, sliceUs: ceilOf(windowUs, slices) }
}

/**
 * In a window of length W, a bucket of b permits with one back every T lets in b + ⌈W/T⌉ - 1 at most. `hard` chooses T so
 * that this is `limit`.
 */
function smoothPolicy(
  { isLookedUp, ...basics }: Basics & { readonly isLookedUp: boolean },
  options: PolicyOptions,
  where: string,
): LimitPolicy {
  const { name, limit, windowUs } = basics
  const { hard = POLICY_DEFAULTS.hard } = options
  assertBoolean(hard, `${where}.hard`)
  // Nobody asks a bucket that admits nothing.
  if (limit === 0)
    return { name, limit, windowUs, algorithm: 'smooth', burst: 0, intervalUs: windowUs }
  const said = orDefault(options.burst, hard ? Math.max(1, Math.floor(limit / 2)) : limit)
  assertInteger(said, `${where}.burst`, { min: 1, max: hard && !isLookedUp ? limit : MOST })
  const longest = Math.floor(LONGEST_REFILL_US / ceilOf(windowUs, limit))
  const burst = isLookedUp ? Math.min(said, hard ? limit : longest) : said
  // More than one per microsecond cannot be told apart from no limit.
  if (limit > windowUs) throw tooFast(limit, `${where}.limit`)
  const intervalUs = ceilOf(windowUs, hard ? limit - burst + 1 : limit)
  if (burst * intervalUs > LONGEST_REFILL_US) {
    const expected = 'a burst that is refilled within ten years'
    throw new InvalidOptionError({ option: `${where}.burst`, expected, received: burst })
  }
  return { name, limit, windowUs, algorithm: 'smooth', burst, intervalUs }
}

function tooFast(received: number, option: string): InvalidOptionError {
  const expected = 'at most one per microsecond'
  return new InvalidOptionError({ option, expected, received })
}

/** Division that is rounded up exactly, also where the quotient is not. */
function ceilOf(amount: number, by: number): number {
  const quotient = Math.floor(amount / by)
  return quotient * by < amount ? quotient + 1 : quotient
}

function calendarPolicy(
  basics: { readonly name: string; readonly limit: number; readonly period: CalendarPeriod },
  { timeZone = POLICY_DEFAULTS.timeZone }: PolicyOptions,
  where: string,
): LimitPolicy {
  try {
    new CalendarEdges(basics.period, timeZone).around(0)
  } catch {
    throw new InvalidOptionError({
      option: `${where}.timeZone`,
      expected: "an IANA time zone such as 'Europe/Berlin'",
      received: timeZone,
    })
  }
  return { ...basics, algorithm: 'calendar', timeZone }
}
