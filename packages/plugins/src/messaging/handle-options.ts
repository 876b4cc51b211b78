/** The options of a consumer, and their checks. */

import { type Duration, InvalidOptionError } from '@larder/core'
import {
  assertBoolean,
  assertInteger,
  assertKnownOptions,
  assertOneOf,
  optionNames,
  parseDuration,
} from '@larder/core/store'
import { assertStreamName } from './stream-options.ts'

export interface HandleOptions {
  /** Consumers with the same name of a group share the work. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly group: string
  /** How many messages are handled at a time. Only so many are fetched. 1 to 1 000. @default 1 */
  readonly concurrency?: number | undefined
  /**
   * For how long a consumer may be silent about a message that it has: then another consumer takes the message over. A consumer speaks up
   * each third of it, for as long as a handler runs; so this has to be longer than a process ever stands still, and not longer than a
   * handler runs. 1 s to 12 h. @default '30s'
   */
  readonly visibility?: Duration | undefined
  /** How often a message is delivered at most. A delivery that was handed back does not count. 1 to 1 000. @default 5 */
  readonly maxDeliveries?: number | undefined
  /** Keeps a message that is given up, for `deadLetters`, `replay` and `discard`. False: it is dropped. @default true */
  readonly deadLetter?: boolean | undefined
  /** How many dead letters are kept; the oldest go. 1 to 1 000 000. @default 10_000 */
  readonly maxDeadLetters?: number | undefined
  /**
   * For how long it is remembered that a message was handled, by its id: it is not handled again when it comes again. 1 s to 30 days.
   * @default it is not remembered
   */
  readonly dedupe?: Duration | undefined
  /** The pause before the first repetition; it doubles with each, and varies by a quarter. 1 ms to 1 h. @default '1s' */
  readonly retryAfter?: Duration | undefined
  /** The longest pause between repetitions. 1 ms to 24 h. @default '5m' */
  readonly maxRetryAfter?: Duration | undefined
  /** Where a group begins that is not there yet: with the first message of the stream, or with those that come from now on. @default 'start' */
  readonly from?: 'start' | 'new' | undefined
  /**
   * Where a group goes on that was there and no longer is, because the store lost its data or somebody removed the group. @default 'start'
   */
  readonly afterLoss?: 'start' | 'new' | undefined
  /**
   * The name of this consumer, such as that of a pod of a stateful set. No two that run at the same time may have the same one: they would
   * take each other for themselves. 1 to 64 of `A-Z a-z 0-9 _ . -`. @default a random one
   */
  readonly instance?: string | undefined
  /** How long `close()` waits for handlers that are under way; then their signals abort, and their messages are handed back. 0 to 10 min. @default '10s' */
  readonly closeTimeout?: Duration | undefined
  /** Closes the consumer when it aborts. */
  readonly signal?: AbortSignal | undefined
}

export const HANDLE_NAMES = optionNames<HandleOptions>({
  group: true,
  concurrency: true,
  visibility: true,
  maxDeliveries: true,
  deadLetter: true,
  maxDeadLetters: true,
  dedupe: true,
  retryAfter: true,
  maxRetryAfter: true,
  from: true,
  afterLoss: true,
  instance: true,
  closeTimeout: true,
  signal: true,
})

/** The defaults. */
export const HANDLE_DEFAULTS = {
  concurrency: 1,
  visibility: '30s',
  maxDeliveries: 5,
  deadLetter: true,
  maxDeadLetters: 10_000,
  retryAfter: '1s',
  maxRetryAfter: '5m',
  from: 'start',
  afterLoss: 'start',
  closeTimeout: '10s',
} as const satisfies Partial<HandleOptions>

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000
const PLACES = ['start', 'new'] as const

export interface ResolvedHandleOptions {
  readonly group: string
  readonly concurrency: number
  readonly visibilityMs: number
  readonly maxDeliveries: number
  readonly deadLetter: boolean
  readonly maxDeadLetters: number
  readonly dedupeMs: number | undefined
  readonly retryAfterMs: number
  readonly maxRetryAfterMs: number
  readonly from: 'start' | 'new'
  readonly afterLoss: 'start' | 'new'
  readonly instance: string | undefined
  readonly closeTimeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** @throws InvalidOptionError naming the first option that is unknown or wrong */
export function resolveHandleOptions(options: HandleOptions, where: string): ResolvedHandleOptions {
  assertKnownOptions(options, HANDLE_NAMES, where)
  const { group, instance, signal } = options
  assertStreamName(group, `${where}.group`)
  if (instance !== undefined) assertStreamName(instance, `${where}.instance`)
  assertSignal(signal, `${where}.signal`)
  const given = withDefaults(options)
  assertInteger(given.concurrency, `${where}.concurrency`, { min: 1, max: 1_000 })
  assertInteger(given.maxDeliveries, `${where}.maxDeliveries`, { min: 1, max: 1_000 })
  assertInteger(given.maxDeadLetters, `${where}.maxDeadLetters`, { min: 1, max: 1_000_000 })
  assertBoolean(given.deadLetter, `${where}.deadLetter`)
  assertOneOf(given.from, PLACES, `${where}.from`)
  assertOneOf(given.afterLoss, PLACES, `${where}.afterLoss`)
  const ms = (
    name: 'visibility' | 'retryAfter' | 'maxRetryAfter' | 'closeTimeout',
    min: number,
    max: number,
  ) => parseDuration(given[name], `${where}.${name}`, { min, max })
  const { dedupe } = options
  const dedupeBounds = { min: SECOND_MS, max: 720 * HOUR_MS }
  return {
    group,
    concurrency: given.concurrency,
    visibilityMs: ms('visibility', SECOND_MS, 12 * HOUR_MS),
    maxDeliveries: given.maxDeliveries,
    deadLetter: given.deadLetter,
    maxDeadLetters: given.maxDeadLetters,
    dedupeMs:
      dedupe === undefined ? undefined : parseDuration(dedupe, `${where}.dedupe`, dedupeBounds),
    retryAfterMs: ms('retryAfter', 1, HOUR_MS),
    maxRetryAfterMs: ms('maxRetryAfter', 1, 24 * HOUR_MS),
    from: given.from,
    afterLoss: given.afterLoss,
    instance,
    closeTimeoutMs: ms('closeTimeout', 0, 600_000),
    signal,
  }
}

/** How long to wait after this many deliveries; `random` from 0 to 1. */
export function pauseAfter(
  deliveries: number,
  {
    retryAfterMs,
    maxRetryAfterMs,
  }: Pick<ResolvedHandleOptions, 'retryAfterMs' | 'maxRetryAfterMs'>,
  random = Math.random(),
): number {
  const ms = Math.min(maxRetryAfterMs, retryAfterMs * 2 ** Math.min(40, deliveries - 1))
  return ms * (0.75 + random / 2)
}

function assertSignal(signal: unknown, option: string): void {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw new InvalidOptionError({ option, expected: 'an AbortSignal', received: signal })
}

/** An option that is given as undefined has its default. */
function withDefaults(options: HandleOptions): HandleOptions & Defaulted {
  const set = Object.entries(options).filter(([, value]) => value !== undefined)
  return { ...HANDLE_DEFAULTS, ...Object.fromEntries(set) } as unknown as HandleOptions & Defaulted
}

type Defaulted = {
  readonly [Name in keyof typeof HANDLE_DEFAULTS]: Exclude<HandleOptions[Name], undefined>
}
