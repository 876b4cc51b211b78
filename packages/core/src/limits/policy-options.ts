/** The policies of a limiter: the options, and the defaults. */

import type { CalendarPeriod } from '../contracts/rate-limit-provider.ts'
import type { Duration } from '../options/duration.ts'
import { optionNames } from '../options/option-names.ts'

/**
 * A limit that is looked up: from the arguments of the decorated method, or from the key of `limiter.consume`. A function that
 * returns it at once is called at every call; a promised limit is used for `limitTtl`.
 */
export type LimitOf<Args extends readonly unknown[] = [key: string]> = (
  ...args: Args
) => number | PromiseLike<number>

/** How much is allowed how often. */
export interface PolicyOptions<Args extends readonly unknown[] = [key: string]> {
  /** Its name in verdicts, headers and the store; a renamed policy begins anew. @default 'default' */
  readonly name?: string | undefined
  /** The most cost admitted per `per`; 0 refuses all. A function where it differs between callers. */
  readonly limit: number | LimitOf<Args>
  /**
   * The window, or a period of the calendar: `'hour'`, `'day'`, `'week'` (from Monday on), `'month'`. 1 ms to 10 years.
   */
  readonly per: Duration | CalendarPeriod
  /**
   * `exact`: never more than `limit` in any window; remembers each admission, so up to a limit of 10 000. `window`: never
   * more, in little memory; admits a little less under constant pressure. `smooth`: permits come back one by one (token
   * bucket). `fixed`: per period, which begins with the first call. @default 'exact' up to 1000, 'window' above
   * and where the limit is a function; for periods of the calendar 'fixed', which is the only one possible
   */
  readonly algorithm?: 'exact' | 'window' | 'smooth' | 'fixed' | undefined
  /** For `window`: how finely it counts; it admits at least `slices / (slices + 1)` of the limit. 1 to 60. @default 10 */
  readonly slices?: number | undefined
  /** For `smooth`: how many at once, which is also the most a call may cost. @default the limit, or with `hard` half of it */
  readonly burst?: number | undefined
  /** For `smooth`: slow enough that no window ever gets more than `limit`, bursts included. @default false */
  readonly hard?: boolean | undefined
  /** For periods of the calendar: the time zone of their midnight, as an IANA name. @default 'UTC' */
  readonly timeZone?: string | undefined
}

/** How much is allowed at the same time. */
export interface ConcurrencyOptions<Args extends readonly unknown[] = [key: string]> {
  /** Names it in verdicts, headers and the store: what is renamed begins anew. @default 'default' */
  readonly name?: string | undefined
  /** Counts what is under way, not what was admitted in a time. */
  readonly algorithm: 'concurrency'
  /** The most cost under way at a time. Up to 10 000; 0 refuses all. A function where it differs between callers. */
  readonly limit: number | LimitOf<Args>
  /** The term: after this, a permit that was neither given back nor renewed is free again. 1 s to 1 d. @default '30s' */
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

/** The defaults. */
export const POLICY_DEFAULTS = {
  name: 'default',
  slices: 10,
  hard: false,
  timeZone: 'UTC',
} as const satisfies Partial<PolicyOptions>

/** The same of `concurrency`. */
export const CONCURRENCY_DEFAULTS = {
  name: 'default',
  lease: '30s',
} as const satisfies Partial<ConcurrencyOptions>

/** The largest limit of any algorithm. */
export const MOST = 1_000_000_000

/** A policy whose limit is known. */
export type KnownPolicy = (PolicyOptions | ConcurrencyOptions) & { readonly limit: number }
