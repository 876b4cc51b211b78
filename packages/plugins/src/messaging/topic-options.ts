/** Options of topics and of subscriptions, and their checks. */

import { type Duration, InvalidOptionError, type Size } from '@larder/core'
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownOptions,
  optionNames,
  orDefault,
  parseDuration,
  parseSize,
} from '@larder/core/store'
import { assertSchema, type MessageSchema } from './schema.ts'

/** How many messages were not heard; `unknown` after the connection was lost. */
export type Missed = number | 'unknown'

export interface TopicOptions<Input = unknown, Output = Input> {
  /** Which topic. 1 to 200 of `A-Z a-z 0-9 _ . -`; dots divide it into segments, which patterns are about. */
  readonly name: string
  /** What a message is: any schema that keeps to Standard Schema. @default any value is right */
  readonly schema?: MessageSchema<Input, Output> | undefined
  /** The most bytes a message may have, at both ends. 1 byte to 16 MiB. @default '1mb' */
  readonly maxMessageBytes?: Size | undefined
  /**
   * In a Cluster, from Redis 7 on: messages go through one shard and not through every server. All processes must say the same. Without a
   * Cluster, or with older servers, it changes nothing. @default false
   */
  readonly sharded?: boolean | undefined
  /** How long publishing may take. 1 ms to 1 min. @default '1s' */
  readonly storeTimeout?: Duration | undefined
}

export interface TopicPatternOptions<Output = unknown> {
  /** Which topics: a name of which segments may be `*`, each of which stands for any one segment. */
  readonly pattern: string
  /** As that of the topics. @default any value is right */
  readonly schema?: MessageSchema<unknown, Output> | undefined
  /** As that of the topics. @default '1mb' */
  readonly maxMessageBytes?: Size | undefined
}

export interface SubscribeOptions {
  /** How many messages may wait for the handler; then the oldest ones are dropped. 1 to 1 000 000. @default 1_000 */
  readonly buffer?: number | undefined
  /** How many bytes may wait for the handler. 1 KiB to 1 GiB. @default '16mb' */
  readonly bufferBytes?: Size | undefined
  /** Called as soon as it is known that messages were missed or dropped; the handler is told with the next message. */
  readonly onMissed?: ((missed: Missed) => unknown) | undefined
}

/** The defaults. */
export const TOPIC_DEFAULTS = {
  maxMessageBytes: '1mb',
  sharded: false,
  storeTimeout: '1s',
} as const satisfies Partial<TopicOptions>

/** The defaults of subscriptions. */
export const SUBSCRIBE_DEFAULTS = {
  buffer: 1_000,
  bufferBytes: '16mb',
} as const satisfies SubscribeOptions

const NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/
const PATTERN = /^([A-Za-z0-9_-]+|\*)(\.([A-Za-z0-9_-]+|\*))*$/
const LONGEST_NAME = 200
const KIB = 1_024
const MOST_MESSAGE_BYTES = 16 * KIB * KIB
const MOST_BUFFER_BYTES = KIB * KIB * KIB

const NAMES = optionNames<TopicOptions>({
  name: true,
  schema: true,
  maxMessageBytes: true,
  sharded: true,
  storeTimeout: true,
})
const PATTERN_NAMES = optionNames<TopicPatternOptions>({
  pattern: true,
  schema: true,
  maxMessageBytes: true,
})
const SUBSCRIBE_NAMES = optionNames<SubscribeOptions>({
  buffer: true,
  bufferBytes: true,
  onMissed: true,
})

export interface ResolvedTopicOptions {
  readonly name: string
  readonly isPattern: boolean
  readonly isSharded: boolean
  readonly schema: MessageSchema<unknown, unknown> | undefined
  readonly maxBytes: number
  readonly timeoutMs: number
}

export interface ResolvedSubscribeOptions {
  readonly buffer: number
  readonly bufferBytes: number
  readonly onMissed: ((missed: Missed) => unknown) | undefined
}

/** @throws InvalidOptionError; so do all of these */
export function resolveTopicOptions(options: TopicOptions): ResolvedTopicOptions {
  const where = 'createTopic'
  assertKnownOptions(options, NAMES, where)
  const isSharded = orDefault(options.sharded, TOPIC_DEFAULTS.sharded)
  assertBoolean(isSharded, `${where}.sharded`)
  const timeout = orDefault(options.storeTimeout, TOPIC_DEFAULTS.storeTimeout)
  return {
    name: nameOf(options.name, NAME, `${where}.name`),
    isPattern: false,
    isSharded,
    ...receivedOf(options, where),
    timeoutMs: parseDuration(timeout, `${where}.storeTimeout`, { min: 1, max: 60_000 }),
  }
}

export function resolvePatternOptions(options: TopicPatternOptions): ResolvedTopicOptions {
  const where = 'createTopicPattern'
  assertKnownOptions(options, PATTERN_NAMES, where)
  return {
    name: nameOf(options.pattern, PATTERN, `${where}.pattern`),
    isPattern: true,
    isSharded: false,
    ...receivedOf(options, where),
    timeoutMs: 0,
  }
}

export function resolveSubscribeOptions(options: SubscribeOptions): ResolvedSubscribeOptions {
  const where = 'topic.subscribe'
  assertKnownOptions(options, SUBSCRIBE_NAMES, where)
  const buffer = orDefault(options.buffer, SUBSCRIBE_DEFAULTS.buffer)
  assertInteger(buffer, `${where}.buffer`, { min: 1, max: 1_000_000 })
  const { onMissed } = options
  if (onMissed !== undefined) assertFunction(onMissed, `${where}.onMissed`)
  const bytes = orDefault(options.bufferBytes, SUBSCRIBE_DEFAULTS.bufferBytes)
  const bounds = { min: KIB, max: MOST_BUFFER_BYTES }
  return { buffer, bufferBytes: bytesOf(bytes, `${where}.bufferBytes`, bounds), onMissed }
}

function receivedOf(
  { schema, maxMessageBytes }: Pick<TopicOptions, 'schema' | 'maxMessageBytes'>,
  where: string,
) {
  assertSchema(schema, `${where}.schema`)
  const size = orDefault(maxMessageBytes, TOPIC_DEFAULTS.maxMessageBytes)
  const bounds = { min: 1, max: MOST_MESSAGE_BYTES }
  return {
    schema,
    maxBytes: bytesOf(size, `${where}.maxMessageBytes`, bounds),
  }
}

export function bytesOf(
  size: Size,
  option: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const bytes = parseSize(size, option, min)
  assertInteger(bytes, option, { min, max })
  return bytes
}

function nameOf(name: unknown, form: RegExp, option: string): string {
  if (typeof name === 'string' && name.length <= LONGEST_NAME && form.test(name)) return name
  const segments = form === PATTERN ? 'or "*", ' : ''
  throw new InvalidOptionError({
    option,
    expected: `1 to ${LONGEST_NAME} characters: segments of letters, digits, "_" and "-", ${segments}with a dot between them`,
    received: name,
  })
}
