/** The options of a write-behind queue, and their checks. */

import type { Duration } from '@larder/core'
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownOptions,
  assertName,
  assertOneOf,
  optionNames,
  orDefault,
  parseDuration,
} from '@larder/core/store'
import type { FlushContext, WrittenWrite } from './written-write.ts'

/** A value with the version of its write. */
export interface Versioned<Value> {
  readonly value: Value
  /** Grows with each write of the queue. */
  readonly version: number
}

/** Puts two values of a key together, both of which wait. */
export type Merge<Value> = (older: Versioned<Value>, newer: Versioned<Value>) => Value

/** Writes a batch to the database: at most one write for each key. Resolving says that all of it is committed. */
export type Writer<Value> = (
  writes: readonly WrittenWrite<Value>[],
  context: FlushContext,
) => Promise<unknown>

/** Options that say how a queue works, for `createWriteBehind` and `@WriteBehind` alike. */
export interface QueueOptions<Value> {
  /** How long a write waits for others. 1 ms to 1 h. @default '1s' */
  readonly every?: Duration | undefined
  /** How many keys the writer is given at once. 1 to 10 000. @default 100 */
  readonly batch?: number | undefined
  /** How many writes may wait. 1 to 10 000 000. @default 100_000 */
  readonly maxPending?: number | undefined
  /**
   * When the queue is full: reject the write; wait for room; or queue it all the same and wait until it is written. A write of
   * a key that waits already takes its place, and needs no room. @default 'throw'
   */
  readonly onFull?: 'throw' | 'wait' | 'write-through' | undefined
  /** How long a write waits because of `onFull`. 1 ms to 1 h. @default '5s' */
  readonly fullWait?: Duration | undefined
  /**
   * When the store cannot be reached: reject the write, or call the writer at once, in this process. That write has no fence, and
   * what of its key waits in the store is written after it: only a database that compares versions keeps the newer one. @default 'throw'
   */
  readonly onUnavailable?: 'throw' | 'write-through' | undefined
  /**
   * Puts two changes of a key together, of which neither is written. It must not depend on how often it is called, and may not change
   * its arguments. Without it, the newer value takes the place of the older one. @default none
   */
  readonly merge?: Merge<Value> | undefined
  /** How often a write is tried alone, while others succeed, before it is a dead letter. 1 to 1000. @default 5 */
  readonly attempts?: number | undefined
  /** The delay after a failure; it doubles with each further one. 1 ms to 1 h. @default '1s' */
  readonly backoff?: Duration | undefined
  /** The longest such delay. 1 ms to 1 d. @default '1m' */
  readonly maxBackoff?: Duration | undefined
  /**
   * A write that fails for so long, while no other succeeds, is a dead letter, too; `false` for never. Nothing else tells a bad write
   * from a database that is away. 1 ms to 30 d. @default '1d'
   */
  readonly deadAfter?: Duration | false | undefined
  /** How many dead letters are kept. When there are so many, further bad writes stay in the queue. 1 to 100 000. @default 1000 */
  readonly maxDeadLetters?: number | undefined
  /** How long a process holds the queue after its last sign of life: so long nothing is written after a crash. 100 ms to 1 h. @default '15s' */
  readonly hold?: Duration | undefined
  /** How long one call of the writer may take. Then its signal aborts, and the batch is tried again. 1 ms to 1 d. @default '1m' */
  readonly writeTimeout?: Duration | undefined
  /** Resolves only when the server's disk has the write (`WAITAOF`, Redis 7.2 and later, with an append-only file). @default false */
  readonly durable?: boolean | undefined
  /** Use a server that drops any key when it is full (`maxmemory-policy allkeys-…`), and the queue with it. @default false */
  readonly allowEviction?: boolean | undefined
  /** How long `caches.close()` goes on writing. 0 to 10 min. @default '5s' */
  readonly drain?: Duration | undefined
  /** How long one call to the store may take. 1 ms to 1 min. @default the manager's `storeTimeout` */
  readonly storeTimeout?: Duration | undefined
  /**
   * Name of the cache of what is written. A value that is queued is put there under its key; a key that is deleted or merged is evicted.
   * Give its readers `behind` with the name of the queue. @default none
   */
  readonly cache?: string | undefined
}

/** Options of a queue. */
export interface WriteBehindOptions<Value> extends QueueOptions<Value> {
  /** Part of the store's keys. 1 to 64 of `A-Z a-z 0-9 _ . -`. All processes that use one name must give the same options. */
  readonly name: string
  /** Writes to the database. Without it, this process queues and reads, and others write. @default none */
  readonly write?: Writer<Value> | undefined
}

/** The defaults. */
export const WRITE_BEHIND_DEFAULTS = {
  every: '1s',
  batch: 100,
  maxPending: 100_000,
  onFull: 'throw',
  fullWait: '5s',
  onUnavailable: 'throw',
  attempts: 5,
  backoff: '1s',
  maxBackoff: '1m',
  deadAfter: '1d',
  maxDeadLetters: 1_000,
  hold: '15s',
  writeTimeout: '1m',
  durable: false,
  allowEviction: false,
  drain: '5s',
} as const satisfies QueueOptions<unknown>

export const QUEUE_OPTION_NAMES = optionNames<QueueOptions<unknown>>({
  every: true,
  batch: true,
  maxPending: true,
  onFull: true,
  fullWait: true,
  onUnavailable: true,
  merge: true,
  attempts: true,
  backoff: true,
  maxBackoff: true,
  deadAfter: true,
  maxDeadLetters: true,
  hold: true,
  writeTimeout: true,
  durable: true,
  allowEviction: true,
  drain: true,
  storeTimeout: true,
  cache: true,
})
const NAMES = [...QUEUE_OPTION_NAMES, 'name', 'write']

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The checked form: milliseconds, every field present. */
export interface ResolvedQueue {
  readonly name: string
  readonly write: Writer<unknown> | undefined
  readonly merge: Merge<unknown> | undefined
  readonly everyMs: number
  readonly batch: number
  readonly maxPending: number
  readonly onFull: 'throw' | 'wait' | 'write-through'
  readonly fullWaitMs: number
  readonly onUnavailable: 'throw' | 'write-through'
  readonly attempts: number
  readonly backoffMs: number
  readonly maxBackoffMs: number
  /** Infinity for never. */
  readonly deadAfterMs: number
  readonly maxDeadLetters: number
  readonly holdMs: number
  readonly writeTimeoutMs: number
  readonly durable: boolean
  readonly allowEviction: boolean
  readonly drainMs: number
  readonly storeTimeoutMs: number
  readonly cache: string | undefined
}

/** @throws InvalidOptionError naming the first option that is unknown or wrong */
export function resolveQueue<Value>(
  options: WriteBehindOptions<Value>,
  { where, storeTimeoutMs }: { readonly where: string; readonly storeTimeoutMs: number },
): ResolvedQueue {
  assertKnownOptions(options, NAMES, where)
  assertName(options.name, `${where}.name`)
  const { write, merge, cache, deadAfter = WRITE_BEHIND_DEFAULTS.deadAfter } = options
  if (write !== undefined) assertFunction(write, `${where}.write`)
  if (merge !== undefined) assertFunction(merge, `${where}.merge`)
  if (cache !== undefined) assertName(cache, `${where}.cache`)
  const ms = (option: keyof typeof WRITE_BEHIND_DEFAULTS, max: number, min = 1): number => {
    const given = orDefault(options[option], WRITE_BEHIND_DEFAULTS[option]) as Duration
    return parseDuration(given, `${where}.${option}`, { min, max })
  }
  const count = (option: 'batch' | 'maxPending' | 'attempts' | 'maxDeadLetters', max: number) => {
    const given = orDefault(options[option], WRITE_BEHIND_DEFAULTS[option])
    assertInteger(given, `${where}.${option}`, { min: 1, max })
    return given
  }
  const onFull = orDefault(options.onFull, WRITE_BEHIND_DEFAULTS.onFull)
  assertOneOf(onFull, ['throw', 'wait', 'write-through'], `${where}.onFull`)
  const onUnavailable = orDefault(options.onUnavailable, WRITE_BEHIND_DEFAULTS.onUnavailable)
  assertOneOf(onUnavailable, ['throw', 'write-through'], `${where}.onUnavailable`)
  const durable = orDefault(options.durable, false)
  assertBoolean(durable, `${where}.durable`)
  const allowEviction = orDefault(options.allowEviction, false)
  assertBoolean(allowEviction, `${where}.allowEviction`)
  const timeout = orDefault(options.storeTimeout, storeTimeoutMs)
  return {
    name: options.name,
    write: write as Writer<unknown> | undefined,
    merge: merge as Merge<unknown> | undefined,
    cache,
    everyMs: ms('every', HOUR_MS),
    batch: count('batch', 10_000),
    maxPending: count('maxPending', 10_000_000),
    onFull,
    fullWaitMs: ms('fullWait', HOUR_MS),
    onUnavailable,
    attempts: count('attempts', 1_000),
    backoffMs: ms('backoff', HOUR_MS),
    maxBackoffMs: ms('maxBackoff', DAY_MS),
    deadAfterMs: deadAfter === false ? Number.POSITIVE_INFINITY : ms('deadAfter', 30 * DAY_MS),
    maxDeadLetters: count('maxDeadLetters', 100_000),
    holdMs: ms('hold', HOUR_MS, 100),
    writeTimeoutMs: ms('writeTimeout', DAY_MS),
    durable,
    allowEviction,
    drainMs: ms('drain', 600_000, 0),
    storeTimeoutMs: parseDuration(timeout, `${where}.storeTimeout`, { min: 1, max: 60_000 }),
  }
}
