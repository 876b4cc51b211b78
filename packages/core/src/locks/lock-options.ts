/** How a lock is taken, as the user writes it, and the checks. */

import type { LockMode, LockReplicas } from '../contracts/lock-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { assertInteger, assertKnownOptions, assertOneOf } from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { optionNames } from '../options/option-names.ts'
import { orDefault } from '../options/or-default.ts'

/** How many replicas have to have a grant. */
export interface ReplicasOptions {
  /** How many. 1 to 100. */
  readonly min: number
  /** How long to wait for them. 1 to 900 ms. @default '500ms' */
  readonly timeout?: Duration | undefined
}

export interface LockOptions {
  /**
   * The term: how long the lock outlives a holder that died. It is renewed in good time while the work goes on. 100 ms to 1 d.
   * @default '10s'
   */
  readonly lease?: Duration | undefined
  /** How long to wait for the lock; 0 to try once. Up to 1 d. @default '10s' */
  readonly wait?: Duration | undefined
  /** Renewal ends after this time, and the lock with it, so that work that hangs does not hold it for ever. From `lease` to 30 d. @default '10m' */
  readonly maxHold?: Duration | undefined
  /** `write` excludes everybody; `read` excludes writers only. @default 'write' */
  readonly mode?: 'write' | 'read' | undefined
  /** Makes it a semaphore that so many callers may hold at once. 1 to 10 000; every user of the lock must give the same number. */
  readonly permits?: number | undefined
  /**
   * How many of the permits this caller takes, all at once. 1 to `permits`. A caller that waits for many is not overtaken by
   * callers that want few.
   * @default 1
   */
  readonly weight?: number | undefined
  /**
   * Who takes turns. `process`: processes take turns, and callers within each process. `global`: every caller queues for itself,
   * at the cost of more round trips.
   * @default 'process'
   */
  readonly fair?: 'process' | 'global' | undefined
  /** What a call ends with when the lock was lost meanwhile: `LockLostError`, or its result as if nothing had happened. @default 'throw' */
  readonly onLost?: 'throw' | 'ignore' | undefined
  /**
   * What to do when the store cannot be reached: `LockUnavailableError`, or a lock within this process only, for work
   * that is merely wasteful to do twice.
   * @default 'throw'
   */
  readonly onUnavailable?: 'throw' | 'local' | undefined
  /** The grant counts once so many replicas have it; limits what a failover can forget. */
  readonly replicas?: ReplicasOptions | undefined
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined
}

export const LOCK_OPTION_NAMES = optionNames<LockOptions>({
  lease: true,
  wait: true,
  maxHold: true,
  mode: true,
  permits: true,
  weight: true,
  fair: true,
  onLost: true,
  onUnavailable: true,
  replicas: true,
  signal: true,
})
const REPLICAS_NAMES = optionNames<ReplicasOptions>({
  min: true,
  timeout: true,
})

/** The defaults. */
export const LOCK_DEFAULTS = {
  lease: '10s',
  wait: '10s',
  /** Or `lease`, if that is longer. */
  maxHold: '10m',
  mode: 'write',
  weight: 1,
  fair: 'process',
  onLost: 'throw',
  onUnavailable: 'throw',
} as const satisfies LockOptions

/** The same of `replicas`. */
export const REPLICAS_DEFAULTS = { timeout: '500ms' } as const

export interface ResolvedLockOptions {
  readonly termMs: number
  readonly waitMs: number
  readonly maxHoldMs: number
  readonly mode: LockMode
  readonly permits: number
  readonly weight: number
  readonly isGlobal: boolean
  readonly ignoresLoss: boolean
  readonly fallsBack: boolean
  readonly replicas: LockReplicas | undefined
  readonly signal: AbortSignal | undefined
}

const DAY_MS = 86_400_000
/** A term is renewed after a third of it; with less than this, a busy event loop would often lose the lock. */
export const SHORTEST_TERM_MS = 100
export const LONGEST_TERM_MS = DAY_MS
export const LONGEST_HOLD_MS = 30 * DAY_MS
const MOST_PERMITS = 10_000
const MOST_REPLICAS = 100

/** @throws InvalidOptionError naming the first option that is unknown or wrong. */
export function resolveLockOptions(options: LockOptions, where: string): ResolvedLockOptions {
  assertKnownOptions(options, LOCK_OPTION_NAMES, where)
  const termMs = parseDuration(orDefault(options.lease, LOCK_DEFAULTS.lease), `${where}.lease`, {
    min: SHORTEST_TERM_MS,
    max: LONGEST_TERM_MS,
  })
  const waitMs = parseDuration(orDefault(options.wait, LOCK_DEFAULTS.wait), `${where}.wait`, {
    max: DAY_MS,
  })
  const {
    fair = LOCK_DEFAULTS.fair,
    onLost = LOCK_DEFAULTS.onLost,
    onUnavailable = LOCK_DEFAULTS.onUnavailable,
    signal,
  } = options
  assertOneOf(fair, ['process', 'global'], `${where}.fair`)
  assertOneOf(onLost, ['throw', 'ignore'], `${where}.onLost`)
  assertOneOf(onUnavailable, ['throw', 'local'], `${where}.onUnavailable`)
  assertSignal(signal, `${where}.signal`)
  return {
    termMs,
    waitMs,
    maxHoldMs: maxHoldOf(options.maxHold, termMs, `${where}.maxHold`),
    ...resolveMode(options, where),
    isGlobal: fair === 'global',
    ignoresLoss: onLost === 'ignore',
    fallsBack: onUnavailable === 'local',
    replicas: resolveReplicas(options.replicas, `${where}.replicas`),
    signal,
  }
}

/** By default, a term that is longer than the default of `maxHold` is held to its end. */
function maxHoldOf(maxHold: Duration | undefined, termMs: number, option: string): number {
  if (maxHold === undefined) return Math.max(parseDuration(LOCK_DEFAULTS.maxHold, option), termMs)
  return parseDuration(maxHold, option, { min: termMs, max: LONGEST_HOLD_MS })
}

function resolveMode(
  { mode, permits, weight }: LockOptions,
  where: string,
): Pick<ResolvedLockOptions, 'mode' | 'permits' | 'weight'> {
  if (permits === undefined) {
    assertOneOf(orDefault(mode, LOCK_DEFAULTS.mode), ['write', 'read'], `${where}.mode`)
    if (weight === undefined)
      return { mode: orDefault(mode, LOCK_DEFAULTS.mode), permits: 1, weight: 1 }
    const expected = 'no weight without permits: it says how many of them'
    throw new InvalidOptionError({ option: `${where}.weight`, expected, received: weight })
  }
  assertInteger(permits, `${where}.permits`, { min: 1, max: MOST_PERMITS })
  assertInteger(orDefault(weight, LOCK_DEFAULTS.weight), `${where}.weight`, {
    min: 1,
    max: permits,
  })
  if (mode === undefined)
    return { mode: 'permit', permits, weight: orDefault(weight, LOCK_DEFAULTS.weight) }
  throw new InvalidOptionError({
    option: `${where}.mode`,
    expected: 'no mode beside permits: a lock is one or the other',
    received: mode,
  })
}

function resolveReplicas(
  replicas: LockOptions['replicas'],
  where: string,
): LockReplicas | undefined {
  if (replicas === undefined) return undefined
  assertKnownOptions(replicas, REPLICAS_NAMES, where)
  assertInteger(replicas.min, `${where}.min`, { min: 1, max: MOST_REPLICAS })
  // WAIT must end before the deadline of the call that contains it.
  const bounds = { min: 1, max: 900 }
  return {
    min: replicas.min,
    timeoutMs: parseDuration(
      orDefault(replicas.timeout, REPLICAS_DEFAULTS.timeout),
      `${where}.timeout`,
      bounds,
    ),
  }
}

function assertSignal(signal: unknown, option: string): void {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw new InvalidOptionError({ option, expected: 'an AbortSignal', received: signal })
}
