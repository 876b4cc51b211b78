/** Checks a policy, and makes the form that the stores work with. */

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
import { orDefault } from '../options/or-default.ts'
import { CalendarEdges } from './calendar-edges.ts'
import {
  CONCURRENCY_DEFAULTS,
  type KnownPolicy,
  MOST,
  POLICY_DEFAULTS,
  POLICY_OPTION_NAMES,
  type PolicyOptions,
} from './policy-options.ts'

const ALGORITHMS = ['exact', 'window', 'smooth', 'fixed', 'concurrency'] as const
const PERIODS: readonly unknown[] = ['hour', 'day', 'week', 'month'] satisfies CalendarPeriod[]
/** The algorithm that an option belongs to. */
const OWNERS: Readonly<Record<string, string>> = {
  slices: 'window',
  burst: 'smooth',
  hard: 'smooth',
  lease: 'concurrency',
}

/** How many admissions one key of an exact policy may remember. */
const MOST_REMEMBERED = 10_000
const EXACT_BY_DEFAULT = 1_000
const MOST_SLICES = 60
const MS_PER_DAY = 86_400_000
const US_PER_MS = 1_000
/** Ten years: the longest time to refill a bucket, so that no time gets near 2^53 µs. */
const LONGEST_REFILL_US = 3_650 * MS_PER_DAY * US_PER_MS

/**
 * Checks a policy. Where its limit was looked up, a larger burst is reduced to fit it: a small plan is not a mistake.
 *
 * @throws InvalidOptionError naming the first option that is unknown or wrong.
 */
export function resolveLimitPolicy(
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
    const lease = orDefault(options.lease, CONCURRENCY_DEFAULTS.lease)
    const termMs = parseDuration(lease, `${where}.lease`, { min: 1_000, max: MS_PER_DAY })
    return { name, limit, algorithm: 'concurrency', termUs: termMs * US_PER_MS }
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

/** An option that would have no effect is refused, because it was meant to have one. */
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
  // Rounded up, so that all slices together are never less than a window.
  return { name, limit, windowUs, algorithm: 'window', slices, sliceUs: ceilOf(windowUs, slices) }
}

/**
 * In a window of length W, a bucket of b permits with one back every T admits b + ⌈W/T⌉ - 1 at most. `hard` chooses T so
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
  // A bucket that admits nothing is never asked.
  if (limit === 0)
    return { name, limit, windowUs, algorithm: 'smooth', burst: 0, intervalUs: windowUs }
  const said = orDefault(options.burst, hard ? Math.max(1, Math.floor(limit / 2)) : limit)
  assertInteger(said, `${where}.burst`, { min: 1, max: hard && !isLookedUp ? limit : MOST })
  const longest = Math.floor(LONGEST_REFILL_US / ceilOf(windowUs, limit))
  const burst = isLookedUp ? Math.min(said, hard ? limit : longest) : said
  // More than one per microsecond is the same as no limit.
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

/** Division that is rounded up exactly, also where the quotient is inexact. */
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

/** Of a limit that is not checked yet: which checks it passes depends on the algorithm. */
function isAbove(limit: unknown, bound: number): boolean {
  return typeof limit === 'number' && limit > bound
}
