/** One delivery of a message: from its bytes to what becomes of it. */

import type { AsyncLocalStorage } from 'node:async_hooks'
import { ClosedError, MessageInvalidError } from '@larder/core'
import {
  type KeptContext,
  runIn,
  type StreamEntry,
  type StreamParts,
  type StreamProvider,
  type StreamSettlement,
} from '@larder/core/store'
import { attributesOf, type MessageAttributes, openMessage } from './envelope.ts'
import { pauseAfter, type ResolvedHandleOptions } from './handle-options.ts'
import { isRejection } from './reject-message.ts'
import { checked } from './schema.ts'
import type { ResolvedStreamOptions } from './stream-options.ts'

/** What a handler is told about the message. */
export interface Delivery {
  /** The id of the message: the same at each delivery. */
  readonly id: string
  readonly attributes: MessageAttributes
  /** How often it was delivered to this group, this time included. From 1; more where the consumer before it died. */
  readonly deliveries: number
  /** Aborts when another consumer has the message, and when the consumer closes and does not wait any longer. */
  readonly signal: AbortSignal
}

/** Resolves when the message is handled. */
export type MessageHandler<Message> = (message: Message, delivery: Delivery) => unknown

/** What became of a delivery; see the event `stream`. */
export type DeliveryOutcome =
  | 'handled'
  | 'duplicate'
  | 'retry'
  | 'dead-letter'
  | 'dropped'
  | 'handed-back'
  | 'lost'
  | 'gone'

export interface DeliveryEnd {
  readonly outcome: DeliveryOutcome
  /** Absent where there is nothing to say: it is another consumer's. */
  readonly settlement: StreamSettlement | undefined
  readonly error?: unknown
  /** The id of the message, where it is known by now. */
  readonly id?: string
}

/** A message that a consumer has. */
export interface HeldMessage {
  readonly entry: StreamEntry
  readonly abort: AbortController
  /** Another consumer has it. */
  isLost: boolean
  /** The consumer closes, and has told the handler so. */
  isAborted: boolean
  /** It was handed back while its handler ran: what the handler says no longer counts. */
  isGivenUp: boolean
  /** Its handler waits until the consumer is closed. */
  waitsForClose: boolean
}

export interface DeliveryParts {
  readonly parts: StreamParts
  readonly stream: ResolvedStreamOptions<unknown>
  readonly options: ResolvedHandleOptions
  readonly handler: MessageHandler<unknown>
  readonly context: KeptContext
  /** Which message's handler is running. */
  readonly current: AsyncLocalStorage<HeldMessage>
  /** The consumer takes nothing more. */
  isClosing(): boolean
  /** Asks the store again and again, until it answers or the message is given up. @throws GivenUpError */
  insist<Reply>(
    held: HeldMessage,
    operation: string,
    call: (provider: StreamProvider) => Promise<Reply>,
  ): Promise<Reply>
}

/** The message was handed back while the store was asked. Never leaves the consumer. */
export class GivenUpError extends Error {}

const MOST_ERROR_TEXT = 1_000

/** Handles a message. Never rejects. */
export async function deliver(held: HeldMessage, parts: DeliveryParts): Promise<DeliveryEnd> {
  const { entry, deliveries } = held.entry
  try {
    // Each time its process died, or was killed for it.
    if (deliveries > parts.options.maxDeliveries) return gaveUp(held, parts, new UnsettledError())
    const id = await handle(held, parts)
    if (id === undefined) return { outcome: 'duplicate', settlement: { kind: 'done', entry } }
    const { dedupeMs } = parts.options
    const mark = dedupeMs === undefined ? undefined : { id, forMs: dedupeMs }
    return { outcome: 'handled', settlement: { kind: 'done', entry, mark }, id }
  } catch (error) {
    return failed(held, parts, error)
  }
}

/** The id of the message; `undefined` when it was handled before. @throws what the handler throws, or what is wrong with the message */
async function handle(
  held: HeldMessage,
  { parts, stream, options, handler, context, current, insist }: DeliveryParts,
): Promise<string | undefined> {
  const { bytes, deliveries } = held.entry
  const of = { topic: stream.rule.stream, side: 'receive' } as const
  if (bytes.length > stream.maxBytes) throw new MessageInvalidError({ ...of, reason: 'too-large' })
  const { attributes, data } = await openMessage(parts.values, `stream:${of.topic}`, bytes)
  const { id } = attributes
  if (options.dedupeMs !== undefined) {
    const place = { stream: of.topic, group: options.group }
    const [isMarked] = await insist(held, 'marked', (provider) => provider.marked(place, [id]))
    if (isMarked === true) return undefined
  }
  const message = await checked(stream.schema, data, of)
  const { signal } = held.abort
  const delivery: Delivery = { id, attributes, deliveries, signal }
  await runIn(context, () => current.run(held, () => handler(message, delivery)))
  return id
}

function failed(held: HeldMessage, parts: DeliveryParts, error: unknown): DeliveryEnd {
  const { entry, deliveries } = held.entry
  if (held.isLost) return { outcome: 'lost', settlement: undefined, error }
  // The handler is not to blame when everything closes.
  const isUnable = parts.isClosing() && error instanceof ClosedError
  if (held.isAborted || isUnable || error instanceof GivenUpError)
    return { outcome: 'handed-back', settlement: { kind: 'back', entry }, error }
  if (isRejection(error) || deliveries >= parts.options.maxDeliveries)
    return gaveUp(held, parts, error)
  const afterMs = pauseAfter(deliveries, parts.options)
  return { outcome: 'retry', settlement: { kind: 'retry', entry, afterMs }, error }
}

function gaveUp(held: HeldMessage, { options }: DeliveryParts, error: unknown): DeliveryEnd {
  const { entry, bytes, deliveries } = held.entry
  if (!options.deadLetter) return { outcome: 'dropped', settlement: { kind: 'done', entry }, error }
  const kept = { entry, bytes, deliveries, keep: options.maxDeadLetters }
  return {
    outcome: 'dead-letter',
    settlement: { kind: 'dead', ...kept, error: errorText(error) },
    error,
  }
}

/** The id for events: that of bytes that nobody can open is not known. */
export function idIn({ bytes }: StreamEntry): string | undefined {
  return attributesOf(bytes)?.id
}

class UnsettledError extends Error {
  constructor() {
    super(
      'It was delivered too often, and no handler came to an end: their processes may have died',
    )
  }

  override get name(): string {
    return 'UnsettledError'
  }
}

/** Anything can be thrown, also what has no text. */
function errorText(error: unknown): string {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return text.slice(0, MOST_ERROR_TEXT).toWellFormed()
  } catch {
    return 'Something was thrown that has no text'
  }
}
