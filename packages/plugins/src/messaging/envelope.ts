/**
 * A message as bytes: what is known about it, as JSON, and what is in it, through the manager's codec and codec steps.
 *
 * The attributes have the names of CloudEvents, so that what reads them knows them. They are not encrypted. What is in the message is
 * bound to its topic and to its attributes, the id among them: with an encryption, nothing of it can be changed, or moved to another
 * message.
 */

import { MessageInvalidError } from '@larder/core'
import type { BoundValues } from '@larder/core/store'

/** What is known about a message. Names as in CloudEvents 1.0, and of the W3C's trace context. */
export interface MessageAttributes {
  /** Names the message: one that is sent again has the same id. */
  readonly id: string
  /** Who sent it. */
  readonly source: string
  /** What kind of message it is. */
  readonly type: string
  /** When it was sent, as in `2026-01-31T12:00:00.000Z`, by the sender's clock. */
  readonly time: string
  /** Which schema it keeps to, as a URI. */
  readonly dataschema?: string | undefined
  /** Under which trace it was sent. */
  readonly traceparent?: string | undefined
}

export interface Message {
  readonly attributes: MessageAttributes
  readonly data: unknown
}

/** `encoded`: what `encode` of the values made of the data, at the call: the caller may change it afterwards. */
export interface EncodedMessage {
  readonly attributes: MessageAttributes
  readonly encoded: Uint8Array
}

const FORMAT = 1
const HEAD_BYTES = 3
/** Attributes take less; more would be made by somebody else. */
const MOST_ATTRIBUTE_BYTES = 16_384
const NEEDED = ['id', 'source', 'type', 'time'] as const
const OPTIONAL = ['dataschema', 'traceparent'] as const

/** Encodes data in this step. What is returned gives the bytes, or throws the ValueError: the schema is to speak first. */
export function encodedNow(values: BoundValues, data: unknown): () => Uint8Array {
  try {
    const encoded = values.encode(data)
    return () => encoded
  } catch (error) {
    return () => {
      throw error
    }
  }
}

/**
 * Bytes: format (1), length of the attributes (2), attributes, sealed data.
 *
 * @param topic names the stream or topic with its kind, such as `stream:emails`
 * @throws RangeError for attributes that are too long, and what a codec step throws
 */
export async function sealMessage(
  values: BoundValues,
  topic: string,
  { attributes, encoded }: EncodedMessage,
): Promise<Uint8Array> {
  const text = JSON.stringify(attributes)
  const head = Buffer.from(text)
  if (head.length > MOST_ATTRIBUTE_BYTES) throw new RangeError('The attributes are too long')
  const start = Buffer.alloc(HEAD_BYTES)
  start[0] = FORMAT
  start.writeUInt16BE(head.length, 1)
  const sealed = await values.sealEncoded(encoded, { of: topic, id: attributes.id, beside: text })
  return Buffer.concat([start, head, sealed])
}

/** @throws MessageInvalidError with the reason `unreadable` */
export async function openMessage(
  values: BoundValues,
  topic: string,
  bytes: Uint8Array,
): Promise<Message> {
  try {
    const { text, sealed } = partsOf(bytes)
    const attributes = attributesIn(text)
    const data = await values.open(sealed, { of: topic, id: attributes.id, beside: text })
    return { attributes, data }
  } catch (cause) {
    throw new MessageInvalidError({ topic, side: 'receive', reason: 'unreadable', cause })
  }
}

/** What is known about a message; nothing of its data is read. `undefined` when that cannot be read. */
export function attributesOf(bytes: Uint8Array): MessageAttributes | undefined {
  try {
    return attributesIn(partsOf(bytes).text)
  } catch {
    return undefined
  }
}

function partsOf(bytes: Uint8Array): { readonly text: string; readonly sealed: Uint8Array } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < HEAD_BYTES || view[0] !== FORMAT) throw new Error('The bytes are no message')
  const end = HEAD_BYTES + view.readUInt16BE(1)
  if (end > view.length) throw new Error('The message is cut off')
  return { text: view.toString('utf8', HEAD_BYTES, end), sealed: view.subarray(end) }
}

/** Anybody who can write to the store can put anything there. */
function attributesIn(text: string): MessageAttributes {
  const given = JSON.parse(text) as Readonly<Record<string, unknown>> | null
  const attributes: Record<string, string> = {}
  for (const name of [...NEEDED, ...OPTIONAL]) {
    const value = given !== null && Object.hasOwn(given, name) ? given[name] : undefined
    if (typeof value === 'string') attributes[name] = value
  }
  const missing = NEEDED.find((name) => attributes[name] === undefined)
  if (missing !== undefined) throw new Error(`The message has no ${missing}`)
  return attributes as unknown as MessageAttributes
}
