/** What leaderboards and their like have in common: names, periods, and the manager whose store they use. */

import {
  type CacheManager,
  type CalendarPeriod,
  type Duration,
  InvalidOptionError,
} from '@larder/core'
import {
  assertInteger,
  assertOneOf,
  assertText,
  type BoardParts,
  INTERNALS,
  orDefault,
  type PeriodRule,
  Periods,
  parseDuration,
} from '@larder/core/store'

/** Options of everything that may count by periods. */
export interface PeriodOptions {
  /**
   * Tells what one manager has apart, and is part of the store's keys. 1 to 64 of `A-Z a-z 0-9 _ . -`. All processes that use one
   * name must give the same options.
   */
  readonly name: string
  /** Begins anew each hour, day, week (on Monday) or month of a calendar. @default it never begins anew */
  readonly per?: CalendarPeriod | undefined
  /** With `per`: the time zone of its midnight, as an IANA name. @default 'UTC' */
  readonly timeZone?: string | undefined
  /** With `per`: how many periods are kept, the present one included. 1 to 400. @default 2 */
  readonly periods?: number | undefined
  /** How long one call to the store may take. 1 ms to 1 min. @default '1s' */
  readonly storeTimeout?: Duration | undefined
}

/** The defaults. */
export const PERIOD_DEFAULTS = {
  timeZone: 'UTC',
  periods: 2,
  storeTimeout: '1s',
} as const satisfies Partial<PeriodOptions>

const NAME = /^[A-Za-z0-9_.-]{1,64}$/
const PERIODS = ['hour', 'day', 'week', 'month']
const MOST_PERIODS = 400
const MOST_TEXT = 1_000

export interface ResolvedPeriodOptions {
  readonly name: string
  readonly rule: PeriodRule
  readonly timeoutMs: number
}

/** @throws InvalidOptionError */
export function resolvePeriodOptions(options: PeriodOptions, where: string): ResolvedPeriodOptions {
  const { name, per } = options
  if (typeof name !== 'string' || !NAME.test(name)) {
    const expected = '1 to 64 letters, digits, "_", "." or "-"'
    throw new InvalidOptionError({ option: `${where}.name`, expected, received: name })
  }
  const timeout = orDefault(options.storeTimeout, PERIOD_DEFAULTS.storeTimeout)
  const timeoutMs = parseDuration(timeout, `${where}.storeTimeout`, { min: 1, max: 60_000 })
  if (per === undefined) {
    for (const option of ['timeZone', 'periods'] as const) {
      if (options[option] === undefined) continue
      const expected = 'a period of the calendar as per to go with it'
      throw new InvalidOptionError({
        option: `${where}.${option}`,
        expected,
        received: options[option],
      })
    }
    return { name, rule: { per: 'none', timeZone: 'UTC', periods: 1 }, timeoutMs }
  }
  assertOneOf(per, PERIODS, `${where}.per`)
  const periods = orDefault(options.periods, PERIOD_DEFAULTS.periods)
  assertInteger(periods, `${where}.periods`, { min: 1, max: MOST_PERIODS })
  const timeZone = orDefault(options.timeZone, PERIOD_DEFAULTS.timeZone)
  assertText(timeZone, `${where}.timeZone`)
  const rule = { per, timeZone, periods }
  assertZone(rule, `${where}.timeZone`)
  return { name, rule, timeoutMs }
}

/** What a manager offers to keep boards with. @throws InvalidOptionError, also where no store of the manager keeps boards; ClosedError */
export function boardPartsOf(caches: CacheManager, where: string): BoardParts {
  if (typeof caches?.[INTERNALS]?.boards === 'function') return caches[INTERNALS].boards()
  const expected = 'a manager of createCacheManager'
  throw new InvalidOptionError({ option: `${where}.caches`, expected, received: caches })
}

/** A member, a visitor or a key as text. Numbers and their digits are the same. @throws InvalidOptionError */
export function nameText(name: unknown, option: string): string {
  const text = typeof name === 'number' && Number.isFinite(name) ? String(name) : name
  const isFine =
    typeof text === 'string' && text.length > 0 && text.length <= MOST_TEXT && text.isWellFormed()
  if (isFine) return text
  throw new InvalidOptionError({
    option,
    expected: `a number, or a text of 1 to ${MOST_TEXT} characters`,
    received: name,
  })
}

function assertZone(rule: PeriodRule, option: string): void {
  try {
    new Periods({ ...rule, periods: 1 }).at(0)
  } catch {
    const expected = "the IANA name of a time zone, such as 'Europe/Berlin'"
    throw new InvalidOptionError({ option, expected, received: rule.timeZone })
  }
}
