/** The options of a counter and of its calls, and their checks. */

import type { Duration } from '@larder/core'
import {
  assertInteger,
  assertKnownOptions,
  type CounterRule,
  optionNames,
  orDefault,
  parseDuration,
} from '@larder/core/store'
import { type PeriodOptions, resolvePeriodOptions } from './common-options.ts'

export interface CounterOptions extends PeriodOptions {
  /**
   * Spreads each key over so many places of the store, for keys that are counted more often than one server can. Then `add` does not
   * know the total, and reading asks all places. May be raised later; counts are lost when it is lowered. 1 to 64. @default 1
   */
  readonly shards?: number | undefined
  /** Not here: what has it is a `BufferedCounterOptions`, of which a counter of another type is made. */
  readonly buffer?: undefined
}

export interface BufferedCounterOptions extends Omit<CounterOptions, 'buffer'> {
  /** Adds up in this process for so long, and sends the sums. What was added last is lost when the process dies. 10 ms to 1 min. */
  readonly buffer: Duration
}

/** What `add` may be told. */
export interface AddOptions {
  /**
   * Names what is counted, such as the id of a request or a message: a second call with it within an hour counts nothing, so that a call
   * of which the answer was lost can be made again. Up to 1 000 characters.
   */
  readonly id?: string | undefined
}

/** Which periods a call is about. */
export interface CountOptions {
  /** How many periods are put together, the present one and those before it. At most `periods`. @default 1 */
  readonly last?: number | undefined
}

const NAMES = optionNames<BufferedCounterOptions>({
  name: true,
  per: true,
  timeZone: true,
  periods: true,
  storeTimeout: true,
  shards: true,
  buffer: true,
})
const ADD_NAMES = optionNames<AddOptions>({ id: true })
const COUNT_NAMES = optionNames<CountOptions>({ last: true })

/** The defaults. */
export const COUNTER_DEFAULTS = { shards: 1 } as const satisfies Partial<CounterOptions>

const WHERE = 'createCounter'
const HOUR_MS = 3_600_000
const MOST_SHARDS = 64

export interface ResolvedCounterOptions {
  readonly rule: CounterRule
  readonly timeoutMs: number
  readonly shards: number
  readonly bufferMs: number | undefined
}

/** @throws InvalidOptionError naming the first option that is unknown or wrong */
export function resolveCounterOptions(
  options: CounterOptions | BufferedCounterOptions,
): ResolvedCounterOptions {
  assertKnownOptions(options, NAMES, WHERE)
  const { name, rule, timeoutMs } = resolvePeriodOptions(options, WHERE)
  const shards = orDefault(options.shards, COUNTER_DEFAULTS.shards)
  assertInteger(shards, `${WHERE}.shards`, { min: 1, max: MOST_SHARDS })
  const { buffer } = options
  const bufferMs =
    buffer === undefined
      ? undefined
      : parseDuration(buffer, `${WHERE}.buffer`, { min: 10, max: 60_000 })
  return { rule: { ...rule, counter: name, idMs: HOUR_MS }, timeoutMs, shards, bufferMs }
}

/** @throws InvalidOptionError */
export function assertAdd(by: unknown, options: AddOptions, where: string): asserts by is number {
  assertKnownOptions(options, ADD_NAMES, where)
  assertInteger(by, `${where}.by`, { min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
}

/** How many periods. @throws InvalidOptionError */
export function resolveLast(
  options: CountOptions,
  { periods, where }: { readonly periods: number; readonly where: string },
): number {
  assertKnownOptions(options, COUNT_NAMES, where)
  const last = orDefault(options.last, 1)
  assertInteger(last, `${where}.last`, { min: 1, max: periods })
  return last
}
