/** Streams over a cache manager's store: messages that are handled at least once, by groups of consumers that share the work. */

import { randomUUID } from 'node:crypto'
import {
  type CacheManager,
  ClosedError,
  InvalidOptionError,
  MessageInvalidError,
} from '@larder/core'
import {
  assertFunction,
  assertInteger,
  assertKnownOptions,
  INTERNALS,
  type StreamAddition,
  type StreamParts,
  type StreamProvider,
  type StreamStatusReply,
} from '@larder/core/store'
import { type DeadLetter, DeadLetters, type DeadLettersOptions } from './dead-letters.ts'
import type { MessageHandler } from './delivery.ts'
import { encodedNow, sealMessage } from './envelope.ts'
import { type HandleOptions, resolveHandleOptions } from './handle-options.ts'
import { checked } from './schema.ts'
import { StreamConsumer } from './stream-consumer.ts'
import {
  ADD_MANY_NAMES,
  ADD_NAMES,
  type AddManyOptions,
  type AddOptions,
  assertStreamName,
  messageText,
  type ResolvedStreamOptions,
  resolveStreamOptions,
  type StreamOptions,
} from './stream-options.ts'

/** What came of adding a message. */
export interface AddedMessage {
  /** The id of the message. */
  readonly id: string
  /** The store's id of its entry: later ones are larger. */
  readonly entry: string
  /** False when a message with this id was added before: it is there once. */
  readonly isNew: boolean
}

const MOST_AT_ONCE = 1_000
const MARK = Symbol.for('@larder/plugins:stream')

/**
 * Creates a stream that is kept in the store of a manager: the remote one, or without one in this process.
 *
 * @throws InvalidOptionError when an option is unknown or wrong, or when no store of the manager keeps streams; ClosedError
 * @example
 * const emails = createStream(caches, { name: 'emails', schema: Email })
 * await emails.add({ to: 'ada@example.org' }, { id: `welcome:${user.id}` })
 * const consumer = emails.handle({ group: 'mailer', concurrency: 8 }, async (email) => send(email))
 */
export function createStream<Input = unknown, Output = Input>(
  caches: CacheManager,
  options: StreamOptions<Input, Output>,
): Stream<Input, Output> {
  if (typeof caches?.[INTERNALS]?.streams !== 'function') {
    const expected = 'a manager of createCacheManager'
    throw new InvalidOptionError({ option: 'createStream.caches', expected, received: caches })
  }
  const resolved = resolveStreamOptions(options)
  return new Stream(caches[INTERNALS].streams(), resolved)
}

export class Stream<Input = unknown, Output = Input> {
  /** @internal */
  readonly [MARK] = true
  readonly name: string
  readonly #parts: StreamParts
  readonly #options: ResolvedStreamOptions<Output>
  readonly #letters: DeadLetters
  /** Groups and instances that this process has running. */
  readonly #running = new Set<string>()

  /** Use `createStream`. */
  constructor(parts: StreamParts, options: ResolvedStreamOptions<Output>) {
    this.#parts = parts
    this.#options = options
    this.name = options.rule.stream
    this.#letters = new DeadLetters(parts, options)
  }

  /**
   * Adds a message.
   *
   * @throws MessageInvalidError when the schema refuses it, or it is too large; ValueError for what would not come back unchanged;
   *   StreamUnavailableError, after which it may be there or not: add it again with the same id
   */
  async add(message: Input, options: AddOptions = {}): Promise<AddedMessage> {
    assertKnownOptions(options, ADD_NAMES, 'stream.add')
    const { id } = options
    if (id !== undefined) messageText(id, 'stream.add.id')
    const [added] = await this.#add([{ message, id }])
    return added as AddedMessage
  }

  /**
   * Adds up to 1 000 messages in one step, in their order: all of them, or, when one is refused, none.
   *
   * @throws as `add`
   */
  async addMany(
    messages: Iterable<Input>,
    options: AddManyOptions<Input> = {},
  ): Promise<readonly AddedMessage[]> {
    assertKnownOptions(options, ADD_MANY_NAMES, 'stream.addMany')
    const { idOf } = options
    if (idOf !== undefined) assertFunction(idOf, 'stream.addMany.idOf')
    const all = listOf(messages).map((message) => {
      const id = idOf === undefined ? undefined : messageText(idOf(message), 'stream.addMany.idOf')
      return { message, id }
    })
    return all.length === 0 ? [] : this.#add(all)
  }

  /**
   * Handles messages of this stream until it is closed, as one consumer of a group. What the handler resolves is done; when it throws, the
   * message comes again after a pause; with `RejectMessage`, or after `maxDeliveries`, it becomes a dead letter. The handler runs in
   * the async context of this call.
   *
   * @throws InvalidOptionError; ClosedError
   * @example const consumer = emails.handle({ group: 'mailer' }, async (email, { signal }) => send(email, { signal }))
   */
  handle(options: HandleOptions, handler: MessageHandler<Output>): StreamConsumer {
    const resolved = resolveHandleOptions(options, 'stream.handle')
    assertFunction(handler, 'stream.handle.handler')
    const { store, namespace } = this.#parts
    if (store.isClosed) throw new ClosedError(namespace, 'stream.handle')
    const { group, instance } = resolved
    const place = `${group}:${instance}`
    if (instance !== undefined && this.#running.has(place)) {
      const expected = 'a name that no other running consumer of this group has'
      throw new InvalidOptionError({
        option: 'stream.handle.instance',
        expected,
        received: instance,
      })
    }
    if (instance !== undefined) this.#running.add(place)
    return new StreamConsumer({
      parts: this.#parts,
      stream: this.#options as ResolvedStreamOptions<unknown>,
      options: resolved,
      handler: handler as MessageHandler<unknown>,
      onClosed: () => this.#running.delete(place),
    })
  }

  /**
   * Lists dead letters of a group, the oldest first.
   *
   * @throws InvalidOptionError; StreamUnavailableError; so do all of these
   */
  deadLetters(group: string, options: DeadLettersOptions = {}): Promise<readonly DeadLetter[]> {
    return this.#letters.list(group, options)
  }

  /** Puts a dead letter at the end of the stream, for its group only, to be handled as a new message; false when there is none. */
  replay(group: string, letter: string): Promise<boolean> {
    return this.#letters.replay(group, letter)
  }

  /** Removes a dead letter; false when there is none. */
  discard(group: string, letter: string): Promise<boolean> {
    return this.#letters.discard(group, letter)
  }

  /** Says how a group stands: how much is there, under way, and waiting. */
  async status(group: string): Promise<StreamStatusReply> {
    assertStreamName(group, 'stream.status.group')
    return this.#ask('status', (provider) => provider.status({ stream: this.name, group }))
  }

  async #add(
    given: readonly { readonly message: Input; readonly id: string | undefined }[],
  ): Promise<readonly AddedMessage[]> {
    const ids = given.map(({ id }) => id ?? randomUUID())
    const messages: readonly StreamAddition[] = await Promise.all(
      given.map(async ({ message, id }, i) => ({
        id,
        bytes: await this.#sealed(message, ids[i] as string),
      })),
    )
    const { rule } = this.#options
    const added = await this.#ask('add', (provider) => provider.add(rule, messages))
    return added.map((reply, i) => ({ id: ids[i] as string, ...reply }))
  }

  /** The message as it was given: its schema may change it, and is asked again before it is handled. */
  async #sealed(data: Input, id: string): Promise<Uint8Array> {
    const { schema, source, type, dataschema, traceparent, maxBytes } = this.#options
    const of = { topic: this.name, side: 'send' } as const
    const checking = checked(schema, data, of)
    checking.catch(() => undefined)
    // Encoded in this step, as it is checked: the caller may change it while the schema is asked.
    const encoded = encodedNow(this.#parts.values, data)
    await checking
    const trace = traceparent?.()
    const attributes = {
      id,
      source: source ?? this.#parts.namespace,
      type,
      time: new Date().toISOString(),
      ...(dataschema === undefined ? {} : { dataschema }),
      ...(trace === undefined ? {} : { traceparent: trace }),
    }
    const message = { attributes, encoded: encoded() }
    const bytes = await sealMessage(this.#parts.values, topicOf(this.name), message)
    if (bytes.length > maxBytes) throw new MessageInvalidError({ ...of, reason: 'too-large' })
    return bytes
  }

  #ask<Reply>(
    operation: string,
    call: (provider: StreamProvider) => Promise<Reply>,
  ): Promise<Reply> {
    return this.#parts.store.ask(operation, this.#options.timeoutMs, call)
  }
}

/** @throws InvalidOptionError for what is not a list of at most 1 000; one without end is not read to its end */
function listOf<Each>(messages: Iterable<Each>): readonly Each[] {
  const option = 'stream.addMany.messages'
  if (typeof messages !== 'object' || typeof messages?.[Symbol.iterator] !== 'function') {
    const expected = 'an array or another iterable of messages'
    throw new InvalidOptionError({ option, expected, received: messages })
  }
  const all: Each[] = []
  for (const message of messages) {
    all.push(message)
    assertInteger(all.length, `${option}.length`, { min: 0, max: MOST_AT_ONCE })
  }
  return all
}

/** Also for one of another copy of this package. */
export function isStream(value: unknown): value is Stream {
  return typeof value === 'object' && value !== null && MARK in value
}

/** What messages of a stream are bound to: no topic has the same. */
function topicOf(stream: string): string {
  return `stream:${stream}`
}
