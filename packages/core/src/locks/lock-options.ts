/** How a lock is taken, as the user writes it, and the checks. */

import type { LockMode, LockReplicas } from '../contracts/lock-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { assertInteger, assertKnownOptions, assertOneOf } from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'

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
  readonly replicas?: { readonly min: number; readonly timeout?: Duration | undefined } | undefined
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined
}

export const LOCK_OPTION_NAMES = [
  'lease',
  'wait',
  'maxHold',
  'mode',
  'permits',
  'weight',
  'fair',
  'onLost',
  'onUnavailable',
  'replicas',
  'signal',
] as const satisfies readonly (keyof LockOptions)[]

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
export const SHORTEST_LEASE_MS = 100
export const LONGEST_LEASE_MS = DAY_MS
export const LONGEST_HOLD_MS = 30 * DAY_MS
const DEFAULT_LEASE = '10s'
const DEFAULT_WAIT = '10s'
const DEFAULT_MAX_HOLD_MS = 600_000
const MOST_PERMITS = 10_000
const MOST_REPLICAS = 100

/** @throws InvalidOptionError naming the first option that is unknown or wrong. */
export function resolveLockOptions(options: LockOptions, where: string): ResolvedLockOptions {
  assertKnownOptions(options, LOCK_OPTION_NAMES, where)
  const termMs = parseDuration(options.lease ?? DEFAULT_LEASE, `${where}.lease`, {
    min: SHORTEST_LEASE_MS,
    max: LONGEST_LEASE_MS,
  })
  const waitMs = parseDuration(options.wait ?? DEFAULT_WAIT, `${where}.wait`, { max: DAY_MS })
  const maxHold = options.maxHold ?? Math.max(DEFAULT_MAX_HOLD_MS, termMs)
  const bounds = { min: termMs, max: LONGEST_HOLD_MS }
  const { fair = 'process', onLost = 'throw', onUnavailable = 'throw', signal } = options
  assertOneOf(fair, ['process', 'global'], `${where}.fair`)
  assertOneOf(onLost, ['throw', 'ignore'], `${where}.onLost`)
  assertOneOf(onUnavailable, ['throw', 'local'], `${where}.onUnavailable`)
  assertSignal(signal, `${where}.signal`)
  return {
    termMs,
    waitMs,
    maxHoldMs: parseDuration(maxHold, `${where}.maxHold`, bounds),
    ...resolveMode(options, where),
    isGlobal: fair === 'global',
    ignoresLoss: onLost === 'ignore',
    fallsBack: onUnavailable === 'local',
    replicas: resolveReplicas(options.replicas, `${where}.replicas`),
    signal,
  }
}

function resolveMode(
  { mode, permits, weight }: LockOptions,
  where: string,
): Pick<ResolvedLockOptions, 'mode' | 'permits' | 'weight'> {
  if (permits === undefined) {
    assertOneOf(mode ?? 'write', ['write', 'read'], `${where}.mode`)
    if (weight === undefined) return { mode: mode ?? 'write', permits: 1, weight: 1 }
    const expected = 'no weight without permits: it says how many of them'
    throw new InvalidOptionError({ option: `${where}.weight`, expected, received: weight })
  }
  assertInteger(permits, `${where}.permits`, { min: 1, max: MOST_PERMITS })
  assertInteger(weight ?? 1, `${where}.weight`, { min: 1, max: permits })
  if (mode === undefined) return { mode: 'permit', permits, weight: weight ?? 1 }
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
  assertKnownOptions(replicas, ['min', 'timeout'], where)
  assertInteger(replicas.min, `${where}.min`, { min: 1, max: MOST_REPLICAS })
  // WAIT must end before the deadline of the call that contains it.
  const bounds = { min: 1, max: 900 }
  return {
    min: replicas.min,
    timeoutMs: parseDuration(replicas.timeout ?? 500, `${where}.timeout`, bounds),
  }
}

function assertSignal(signal: unknown, option: string): void {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw new InvalidOptionError({ option, expected: 'an AbortSignal', received: signal })
}
