/** Options of event stores and of what is done with them, and their checks. */

import { type Duration, InvalidOptionError, type Size } from '@larder/core'
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownOptions,
  type ExpectedVersion,
  optionNames,
  orDefault,
  parseDuration,
} from '@larder/core/store'
import { assertSchema, type MessageSchema } from './schema.ts'
import { bytesOf } from './topic-options.ts'

/** What is known of an event beside its data. */
export interface EventOrigin {
  readonly stream: string
  /** From 1, without a gap within a stream. */
  readonly version: number
  /** When it was appended, by the clock of the store. Orders nothing. */
  readonly at: Date
  /** The `schemaVersion` of who appended it. */
  readonly schemaVersion: number
}

export interface EventStoreOptions<Input = unknown, Output = Input> {
  /** Tells the event stores of one manager apart. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly name: string
  /** What an event is: any schema that keeps to Standard Schema. @default any value is right */
  readonly schema?: MessageSchema<Input, Output> | undefined
  /** Kept with each event, for `upcast`. 1 to 1 000 000. @default 1 */
  readonly schemaVersion?: number | undefined
  /** Makes what the schema takes today of an event that was appended earlier; it is called for every event that is read. @default none */
  readonly upcast?: ((data: unknown, origin: EventOrigin) => unknown) | undefined
  /**
   * Streams are spread over so many parts; there is an order of all events in each part, and none between them. Cannot be changed once
   * events are kept. 1 to 1 024. @default 1
   */
  readonly partitions?: number | undefined
  /** The most bytes an event may have. 1 byte to 16 MiB. @default '1mb' */
  readonly maxEventBytes?: Size | undefined
  /** How long the `id` of an append is remembered. 1 s to 30 d. @default '1d' */
  readonly idFor?: Duration | undefined
  /** Appends wait until the disk of the server has them (WAITAOF, Redis from 7.2 on). @default false */
  readonly durable?: boolean | undefined
  /** How long one call to the store may take. 1 ms to 1 min. @default '1s', with `durable` '15s' */
  readonly storeTimeout?: Duration | undefined
}

export interface AppendOptions {
  /** Which version the stream must be at: `any`, `none` (it has no event), `exists`, or its last version. @default 'any' */
  readonly expected?: ExpectedVersion | undefined
  /** Names the append: repeated within `idFor`, it is answered as the first time, and adds nothing. 1 to 256 characters. @default none */
  readonly id?: string | undefined
}

export interface ReadEventsOptions {
  /** From this version on. @default 1 */
  readonly from?: number | undefined
  /** Up to this version. @default the last one */
  readonly to?: number | undefined
  /** From the last one down to the first one. @default false */
  readonly backwards?: boolean | undefined
  /** At most so many. @default all */
  readonly limit?: number | undefined
}

export interface ReadAllOptions {
  /** Which partition, from 0. @default all, one after the other */
  readonly partition?: number | undefined
  /** With `partition`: events behind this position. @default 0 */
  readonly after?: number | undefined
}

export interface ProjectOptions {
  /** How often it is looked for new events while there are none, unless this process appends one. 10 ms to 1 h. @default '200ms' */
  readonly pollEvery?: Duration | undefined
  /** How long the turn of a process that died lasts. 1 s to 10 min. @default '10s' */
  readonly lease?: Duration | undefined
  /** After how many events it is saved how far it has come. So many may be handled again after a crash. 1 to 10 000. @default 100 */
  readonly saveEvery?: number | undefined
}

/** The defaults. */
export const EVENT_STORE_DEFAULTS = {
  schemaVersion: 1,
  partitions: 1,
  maxEventBytes: '1mb',
  idFor: '1d',
  durable: false,
} as const satisfies Partial<EventStoreOptions>

/** The defaults of projections. */
export const PROJECT_DEFAULTS = {
  pollEvery: '200ms',
  lease: '10s',
  saveEvery: 100,
} as const satisfies ProjectOptions

const NAME = /^[A-Za-z0-9_.-]{1,64}$/
const MOST_ID = 256
const MOST_STREAM = 1_000
const DAY_MS = 86_400_000
const MIB = 1_024 * 1_024
export const MOST = Number.MAX_SAFE_INTEGER

const NAMES = optionNames<EventStoreOptions>({
  name: true,
  schema: true,
  schemaVersion: true,
  upcast: true,
  partitions: true,
  maxEventBytes: true,
  idFor: true,
  durable: true,
  storeTimeout: true,
})
const APPEND_NAMES = optionNames<AppendOptions>({ expected: true, id: true })
const READ_NAMES = optionNames<ReadEventsOptions>({
  from: true,
  to: true,
  backwards: true,
  limit: true,
})
const READ_ALL_NAMES = optionNames<ReadAllOptions>({ partition: true, after: true })
const PROJECT_NAMES = optionNames<ProjectOptions>({ pollEvery: true, lease: true, saveEvery: true })

export interface ResolvedEventStoreOptions {
  readonly name: string
  readonly schema: MessageSchema<unknown, unknown> | undefined
  readonly schemaVersion: number
  readonly upcast: ((data: unknown, origin: EventOrigin) => unknown) | undefined
  readonly partitions: number
  readonly maxBytes: number
  readonly idMs: number
  readonly isDurable: boolean
  readonly timeoutMs: number
}

/** @throws InvalidOptionError; so do all of these */
export function resolveEventStoreOptions(options: EventStoreOptions): ResolvedEventStoreOptions {
  const where = 'createEventStore'
  assertKnownOptions(options, NAMES, where)
  const { schema, upcast } = options
  const partitions = orDefault(options.partitions, EVENT_STORE_DEFAULTS.partitions)
  assertInteger(partitions, `${where}.partitions`, { min: 1, max: 1_024 })
  const schemaVersion = orDefault(options.schemaVersion, EVENT_STORE_DEFAULTS.schemaVersion)
  assertInteger(schemaVersion, `${where}.schemaVersion`, { min: 1, max: 1_000_000 })
  assertSchema(schema, `${where}.schema`)
  if (upcast !== undefined) assertFunction(upcast, `${where}.upcast`)
  const isDurable = orDefault(options.durable, EVENT_STORE_DEFAULTS.durable)
  assertBoolean(isDurable, `${where}.durable`)
  const size = orDefault(options.maxEventBytes, EVENT_STORE_DEFAULTS.maxEventBytes)
  const timeout = orDefault(options.storeTimeout, isDurable ? '15s' : '1s')
  const idFor = orDefault(options.idFor, EVENT_STORE_DEFAULTS.idFor)
  return {
    name: nameOf(options.name, `${where}.name`),
    schema,
    schemaVersion,
    upcast,
    partitions,
    maxBytes: bytesOf(size, `${where}.maxEventBytes`, { min: 1, max: 16 * MIB }),
    idMs: parseDuration(idFor, `${where}.idFor`, { min: 1_000, max: 30 * DAY_MS }),
    isDurable,
    timeoutMs: parseDuration(timeout, `${where}.storeTimeout`, { min: 1, max: 60_000 }),
  }
}

export function resolveAppendOptions(options: AppendOptions): {
  readonly expected: ExpectedVersion
  readonly id: string | undefined
} {
  const where = 'eventStore.append'
  assertKnownOptions(options, APPEND_NAMES, where)
  const { id } = options
  const expected: ExpectedVersion = orDefault(options.expected, 'any')
  const isWord = expected === 'any' || expected === 'none' || expected === 'exists'
  if (!isWord && !(Number.isSafeInteger(expected) && Number(expected) >= 0))
    throw new InvalidOptionError({
      option: `${where}.expected`,
      expected: "'any', 'none', 'exists', or the last version of the stream, from 0",
      received: expected,
    })
  if (id !== undefined) textOf(id, MOST_ID, `${where}.id`)
  return { expected, id }
}

export function resolveReadOptions(options: ReadEventsOptions) {
  const where = 'eventStore.read'
  assertKnownOptions(options, READ_NAMES, where)
  const { from = 1, to = MOST, backwards: isBackwards = false } = options
  const limit = options.limit === undefined ? MOST : options.limit
  assertInteger(from, `${where}.from`, { min: 0, max: MOST })
  assertInteger(to, `${where}.to`, { min: 0, max: MOST })
  assertInteger(limit, `${where}.limit`, { min: 0, max: MOST })
  assertBoolean(isBackwards, `${where}.backwards`)
  return { from: Math.max(1, from), to, isBackwards, limit }
}

/** The partitions that are read, and behind which position. */
export function resolveReadAllOptions(options: ReadAllOptions, partitions: number) {
  const where = 'eventStore.readAll'
  assertKnownOptions(options, READ_ALL_NAMES, where)
  const { partition, after = 0 } = options
  assertInteger(after, `${where}.after`, { min: 0, max: MOST })
  if (partition !== undefined) {
    assertInteger(partition, `${where}.partition`, { min: 0, max: partitions - 1 })
    return { from: [partition], after }
  }
  if (after === 0) return { from: Array.from({ length: partitions }, (_, i) => i), after }
  const expected = 'a partition to go with it: positions are those of one partition'
  throw new InvalidOptionError({ option: `${where}.after`, expected, received: after })
}

export interface ResolvedProjectOptions {
  readonly pollEveryMs: number
  readonly leaseMs: number
  readonly saveEvery: number
}

export function resolveProjectOptions(options: ProjectOptions): ResolvedProjectOptions {
  const where = 'eventStore.project'
  assertKnownOptions(options, PROJECT_NAMES, where)
  const pollEvery = orDefault(options.pollEvery, PROJECT_DEFAULTS.pollEvery)
  const lease = orDefault(options.lease, PROJECT_DEFAULTS.lease)
  const saveEvery = orDefault(options.saveEvery, PROJECT_DEFAULTS.saveEvery)
  assertInteger(saveEvery, `${where}.saveEvery`, { min: 1, max: 10_000 })
  return {
    pollEveryMs: parseDuration(pollEvery, `${where}.pollEvery`, { min: 10, max: 3_600_000 }),
    leaseMs: parseDuration(lease, `${where}.lease`, { min: 1_000, max: 600_000 }),
    saveEvery,
  }
}

/** The name of an event store or of a projection. */
export function nameOf(name: unknown, option: string): string {
  if (typeof name === 'string' && NAME.test(name)) return name
  const expected = '1 to 64 letters, digits, "_", "." or "-"'
  throw new InvalidOptionError({ option, expected, received: name })
}

/** The name of a stream: any text. */
export function streamOf(stream: unknown, option: string): string {
  return textOf(stream, MOST_STREAM, option)
}

function textOf(text: unknown, most: number, option: string): string {
  const isFine =
    typeof text === 'string' && text.length > 0 && text.length <= most && text.isWellFormed()
  if (isFine) return text
  throw new InvalidOptionError({
    option,
    expected: `a text of 1 to ${most} characters`,
    received: text,
  })
}
