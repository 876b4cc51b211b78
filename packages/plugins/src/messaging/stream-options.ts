/** The options of a stream and of adding to it, and their checks. */

import { type Duration, InvalidOptionError, type Size } from '@larder/core'
import {
  assertBoolean,
  assertInteger,
  assertKnownOptions,
  assertText,
  optionNames,
  orDefault,
  parseDuration,
  parseSize,
  type StreamRule,
} from '@larder/core/store'
import { assertSchema, type MessageSchema } from './schema.ts'

export interface StreamOptions<Input = unknown, Output = Input> {
  /** Tells what one manager has apart, and is part of the store's keys. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly name: string
  /**
   * What messages are like: a schema of zod, valibot, ArkType or any other library that keeps to Standard Schema. A message is checked when
   * it is added, and sent as it was given; it is checked again before it is handled, and the handler gets what the schema made of it.
   * @default anything that the manager's codec keeps
   */
  readonly schema?: MessageSchema<Input, Output> | undefined
  /**
   * About how many messages are kept; the store may keep some hundred more. Only those go that all groups are done with, see
   * `trimsUnhandled`. From 1. @default 100_000
   */
  readonly maxLength?: number | undefined
  /** For about how long messages are kept at most, by the same rule. 1 s to 10 years. @default without end */
  readonly maxAge?: Duration | undefined
  /** True: messages go although a group is not done with them. Then they are lost. @default false */
  readonly trimsUnhandled?: boolean | undefined
  /** For how long ids of messages are remembered, so that one that is added again is not there twice. 1 s to 30 days. @default '1h' */
  readonly rememberIds?: Duration | undefined
  /** The largest message, with its attributes, as it is sent. 1 kB to 64 MB. @default '1mb' */
  readonly maxBytes?: Size | undefined
  /** Who sends, as the attribute `source` of messages. @default the namespace of the manager */
  readonly source?: string | undefined
  /** What kind of messages these are, as the attribute `type`. @default the name of the stream */
  readonly type?: string | undefined
  /** Which schema they keep to, as the attribute `dataschema`: a URI. @default none */
  readonly dataschema?: string | undefined
  /** Asked at each message for the attribute `traceparent`, the W3C's trace context. @default none */
  readonly traceparent?: (() => string | undefined) | undefined
  /** How long one call to the store may take. 1 ms to 1 min. @default '2s' */
  readonly storeTimeout?: Duration | undefined
}

/** What `add` may be told. */
export interface AddOptions {
  /**
   * Names the message, such as the id of an order: a message with an id that is remembered is not added again. So after a
   * `StreamUnavailableError` you add it again with the same id. Up to 1 000 characters. @default a random one
   */
  readonly id?: string | undefined
}

/** What `addMany` may be told. */
export interface AddManyOptions<Input> {
  /** The id of each message. @default random ones */
  readonly idOf?: ((message: Input) => string) | undefined
}

const NAMES = optionNames<StreamOptions>({
  name: true,
  schema: true,
  maxLength: true,
  maxAge: true,
  trimsUnhandled: true,
  rememberIds: true,
  maxBytes: true,
  source: true,
  type: true,
  dataschema: true,
  traceparent: true,
  storeTimeout: true,
})
export const ADD_NAMES = optionNames<AddOptions>({ id: true })
export const ADD_MANY_NAMES = optionNames<AddManyOptions<unknown>>({ idOf: true })

/** The defaults. */
export const STREAM_DEFAULTS = {
  maxLength: 100_000,
  trimsUnhandled: false,
  rememberIds: '1h',
  maxBytes: '1mb',
  storeTimeout: '2s',
} as const satisfies Partial<StreamOptions>

const WHERE = 'createStream'
const NAME = /^[A-Za-z0-9_.-]{1,64}$/
const MOST_TEXT = 1_000
const SECOND_MS = 1_000
const DAY_MS = 86_400_000
const KILOBYTE = 1_024

export interface ResolvedStreamOptions<Output> {
  readonly rule: StreamRule
  readonly schema: MessageSchema<unknown, Output> | undefined
  readonly maxBytes: number
  readonly source: string | undefined
  readonly type: string
  readonly dataschema: string | undefined
  readonly traceparent: (() => string | undefined) | undefined
  readonly timeoutMs: number
}

/** @throws InvalidOptionError naming the first option that is unknown or wrong */
export function resolveStreamOptions<Input, Output>(
  options: StreamOptions<Input, Output>,
): ResolvedStreamOptions<Output> {
  assertKnownOptions(options, NAMES, WHERE)
  const { name, schema, source, dataschema, traceparent } = options
  assertStreamName(name, `${WHERE}.name`)
  assertSchema(schema, `${WHERE}.schema`)
  for (const text of ['source', 'type', 'dataschema'] as const)
    if (options[text] !== undefined) messageText(options[text], `${WHERE}.${text}`)
  if (traceparent !== undefined && typeof traceparent !== 'function') {
    const expected = 'a function that returns a traceparent, or undefined'
    throw new InvalidOptionError({
      option: `${WHERE}.traceparent`,
      expected,
      received: traceparent,
    })
  }
  return {
    rule: ruleOf(options),
    schema: schema as MessageSchema<unknown, Output> | undefined,
    maxBytes: sizeOf(options.maxBytes),
    source,
    type: options.type ?? name,
    dataschema,
    traceparent,
    timeoutMs: parseDuration(
      orDefault(options.storeTimeout, STREAM_DEFAULTS.storeTimeout),
      `${WHERE}.storeTimeout`,
      { min: 1, max: 60_000 },
    ),
  }
}

/** @throws InvalidOptionError */
export function assertStreamName(name: unknown, option: string): asserts name is string {
  if (typeof name === 'string' && NAME.test(name)) return
  const expected = '1 to 64 letters, digits, "_", "." or "-"'
  throw new InvalidOptionError({ option, expected, received: name })
}

/** @throws InvalidOptionError */
export function messageText(text: unknown, option: string): string {
  assertText(text, option)
  if (text.length <= MOST_TEXT && text.isWellFormed()) return text
  const expected = `a text of 1 to ${MOST_TEXT} characters`
  throw new InvalidOptionError({ option, expected, received: text })
}

function ruleOf({
  name,
  maxLength = STREAM_DEFAULTS.maxLength,
  maxAge,
  trimsUnhandled = STREAM_DEFAULTS.trimsUnhandled,
  rememberIds = STREAM_DEFAULTS.rememberIds,
}: Pick<
  StreamOptions,
  'name' | 'maxLength' | 'maxAge' | 'trimsUnhandled' | 'rememberIds'
>): StreamRule {
  assertInteger(maxLength, `${WHERE}.maxLength`, { min: 1, max: Number.MAX_SAFE_INTEGER })
  assertBoolean(trimsUnhandled, `${WHERE}.trimsUnhandled`)
  const age = { min: SECOND_MS, max: 3_650 * DAY_MS }
  const remembered = { min: SECOND_MS, max: 30 * DAY_MS }
  return {
    stream: name,
    maxLength,
    maxAgeMs:
      maxAge === undefined
        ? Number.POSITIVE_INFINITY
        : parseDuration(maxAge, `${WHERE}.maxAge`, age),
    trimsUnhandled,
    rememberMs: parseDuration(rememberIds, `${WHERE}.rememberIds`, remembered),
  }
}

function sizeOf(maxBytes: Size = STREAM_DEFAULTS.maxBytes): number {
  const bytes = parseSize(maxBytes, `${WHERE}.maxBytes`)
  if (bytes >= KILOBYTE && bytes <= 64 * KILOBYTE ** 2) return bytes
  const expected = 'a size from 1 kB to 64 MB'
  throw new InvalidOptionError({ option: `${WHERE}.maxBytes`, expected, received: maxBytes })
}
