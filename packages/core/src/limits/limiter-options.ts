/** The options of a limiter: what a user may say, and the defaults. */

import type { Duration } from '../options/duration.ts'
import {
  type ConcurrencyOptions,
  POLICY_OPTION_NAMES,
  type PolicyOptions,
} from './policy-options.ts'

/** What to do where the shared store cannot say: let this process alone count, let everything pass, or refuse. */
export type OnStoreError = 'local' | 'open' | 'closed'

/** Options of a limiter besides its policies. */
export interface LimiterSettings {
  /**
   * Limiters of one name share what they count. 1 to 64 of `A-Z a-z 0-9 _ . -`. @default made of the policies, so that
   * limiters with the same policies share; for `@RateLimited` the method
   */
  readonly name?: string | undefined
  /**
   * How long a call may be made to wait for its turn; longer, and it is refused. 0: nobody waits. Up to 1 h, and as long as at
   * most 10 000 calls of a key can be waiting: under a larger limit that is looked up, it is that long. @default 0
   */
  readonly maxWait?: Duration | undefined
  /** Where the shared store cannot say. @default 'local' where the manager has a local store with limits, else 'closed' */
  readonly onStoreError?: OnStoreError | undefined
  /**
   * The part of each limit that this process may admit by itself under `onStoreError: 'local'`: 1 / instances keeps the
   * sum below the limit. Above 0, up to 1. @default 1
   */
  readonly share?: number | undefined
  /** How long what a function of `limit` promised is believed. Up to 1 d; 0 asks at every call. @default '1m' */
  readonly limitTtl?: Duration | undefined
  /** How long the store may take to say. 1 ms to 1 min. @default '100ms' */
  readonly storeTimeout?: Duration | undefined
  /** Refused calls count too: who keeps trying stays out. For guessed passwords, not for polite clients. @default false */
  readonly penalty?: boolean | undefined
  /** After a refusal, admit nothing for this long. 1 ms to 10 years. @default none */
  readonly block?: Duration | undefined
  /** Decide, count and report, but let everything pass. @default false */
  readonly dryRun?: boolean | undefined
  /** Asked at every call; false lets it pass without counting. A kill switch. @default always on */
  readonly enabled?: (() => boolean) | undefined
}

/** One policy. */
export interface OnePolicy<Args extends readonly unknown[] = [key: string]>
  extends PolicyOptions<Args>,
    Omit<LimiterSettings, 'name'> {
  /** Of the limiter; see `LimiterSettings`. */
  readonly name?: string | undefined
  readonly policies?: undefined
}

/** One policy about what is under way at the same time. */
export interface OneConcurrency<Args extends readonly unknown[] = [key: string]>
  extends ConcurrencyOptions<Args>,
    Omit<LimiterSettings, 'name'> {
  /** Of the limiter; see `LimiterSettings`. */
  readonly name?: string | undefined
  readonly policies?: undefined
}

/** Several policies: a call is admitted by all of them, or counts in none. */
export interface SeveralPolicies<Args extends readonly unknown[] = [key: string]>
  extends LimiterSettings {
  /** Up to 16. */
  readonly policies: readonly [
    PolicyOptions<Args> | ConcurrencyOptions<Args>,
    ...(PolicyOptions<Args> | ConcurrencyOptions<Args>)[],
  ]
  readonly limit?: undefined
}

// In this order, because TypeScript tells what is missing from the last one that is near.
export type LimiterOptions<Args extends readonly unknown[] = [key: string]> =
  | OneConcurrency<Args>
  | OnePolicy<Args>
  | SeveralPolicies<Args>

const SETTING_NAMES = [
  'name',
  'maxWait',
  'onStoreError',
  'share',
  'limitTtl',
  'storeTimeout',
  'penalty',
  'block',
  'dryRun',
  'enabled',
] as const satisfies readonly (keyof LimiterSettings)[]

/** Names of all options of a limiter. */
export const LIMITER_OPTION_NAMES = [
  ...new Set(['policies', ...SETTING_NAMES, ...POLICY_OPTION_NAMES]),
] as const

/** What holds where the options do not say. */
export const LIMITER_DEFAULTS = {
  maxWait: 0,
  share: 1,
  limitTtl: '1m',
  storeTimeout: '100ms',
  penalty: false,
  dryRun: false,
} as const satisfies LimiterSettings
