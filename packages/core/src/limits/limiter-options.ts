/** The options of a limiter, and the defaults. */

import type { Duration } from '../options/duration.ts'
import { optionNames } from '../options/option-names.ts'
import {
  type ConcurrencyOptions,
  POLICY_OPTION_NAMES,
  type PolicyOptions,
} from './policy-options.ts'

/** What to do where the shared store cannot decide: let this process alone count, let every call pass, or refuse. */
export type OnStoreError = 'local' | 'open' | 'closed'

/** Options of a limiter besides its policies. */
export interface LimiterOwnOptions {
  /**
   * Limiters of one name share what they count. 1 to 64 of `A-Z a-z 0-9 _ . -`. @default made of the policies, so that
   * limiters with the same policies share; for `@RateLimited` the method
   */
  readonly name?: string | undefined
  /**
   * How long a call may wait for its turn; a call that would wait longer is refused. 0: no call waits. Up to 1 h, and so long that at
   * most 10 000 calls of a key can be waiting: under a larger limit that is looked up, it is limited to that. @default 0
   */
  readonly maxWait?: Duration | undefined
  /** What to do where the shared store cannot decide. @default 'local' where the manager has a local store with limits, else 'closed' */
  readonly onStoreError?: OnStoreError | undefined
  /**
   * The part of each limit that this process may admit by itself under `onStoreError: 'local'`: 1 / instances keeps the
   * sum below the limit. Above 0, up to 1. @default 1
   */
  readonly share?: number | undefined
  /** How long a limit that a function promised is used. Up to 1 d; 0 asks at every call. @default '1m' */
  readonly limitTtl?: Duration | undefined
  /** How long the store may take to decide. 1 ms to 1 min. @default '100ms' */
  readonly storeTimeout?: Duration | undefined
  /** Refused calls count too: a caller that keeps trying stays refused. For guessed passwords, not for polite clients. @default false */
  readonly penalty?: boolean | undefined
  /** After a refusal, admit nothing for this long. 1 ms to 10 years. @default none */
  readonly block?: Duration | undefined
  /** Decide, count and report, but let everything pass. @default false */
  readonly dryRun?: boolean | undefined
  /** Called at every call; false lets it pass without counting. A kill switch. @default always on */
  readonly enabled?: (() => boolean) | undefined
}

/** One policy. */
export interface OnePolicy<Args extends readonly unknown[] = [key: string]>
  extends PolicyOptions<Args>,
    Omit<LimiterOwnOptions, 'name'> {
  /** That of the limiter; see `LimiterOwnOptions`. */
  readonly name?: string | undefined
  readonly policies?: undefined
}

/** One policy for calls under way at the same time. */
export interface OneConcurrency<Args extends readonly unknown[] = [key: string]>
  extends ConcurrencyOptions<Args>,
    Omit<LimiterOwnOptions, 'name'> {
  /** That of the limiter; see `LimiterOwnOptions`. */
  readonly name?: string | undefined
  readonly policies?: undefined
}

/** Several policies: a call is admitted by all of them, or counts in none. */
export interface SeveralPolicies<Args extends readonly unknown[] = [key: string]>
  extends LimiterOwnOptions {
  /** Up to 16. */
  readonly policies: readonly [
    PolicyOptions<Args> | ConcurrencyOptions<Args>,
    ...(PolicyOptions<Args> | ConcurrencyOptions<Args>)[],
  ]
  readonly limit?: undefined
}

// In this order, because TypeScript reports what is missing from the last alternative that is close.
export type LimiterOptions<Args extends readonly unknown[] = [key: string]> =
  | OneConcurrency<Args>
  | OnePolicy<Args>
  | SeveralPolicies<Args>

const OWN_NAMES = optionNames<LimiterOwnOptions>({
  name: true,
  maxWait: true,
  onStoreError: true,
  share: true,
  limitTtl: true,
  storeTimeout: true,
  penalty: true,
  block: true,
  dryRun: true,
  enabled: true,
})

const LIST_NAMES = optionNames<Omit<SeveralPolicies, keyof LimiterOwnOptions | 'limit'>>({
  policies: true,
})

/** Names of all options of a limiter. */
export const LIMITER_OPTION_NAMES = [
  ...new Set([...LIST_NAMES, ...OWN_NAMES, ...POLICY_OPTION_NAMES]),
]

/** The values of options that are left out. */
export const LIMITER_DEFAULTS = {
  maxWait: 0,
  share: 1,
  limitTtl: '1m',
  storeTimeout: '100ms',
  penalty: false,
  dryRun: false,
} as const satisfies LimiterOwnOptions
