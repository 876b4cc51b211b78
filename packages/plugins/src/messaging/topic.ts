/** Topics: messages to everybody who listens now, checked by a schema at both ends. */

import { randomBytes } from 'node:crypto'
import { type CacheManager, ClosedError, InvalidOptionError } from '@larder/core'
import { assertFunction, INTERNALS, type TopicParts } from '@larder/core/store'
import { encodedNow, sealMessage } from './envelope.ts'
import { checked } from './schema.ts'
import { Subscription, type TopicHandler } from './subscription.ts'
import {
  type ResolvedTopicOptions,
  resolvePatternOptions,
  resolveSubscribeOptions,
  resolveTopicOptions,
  type SubscribeOptions,
  type TopicOptions,
  type TopicPatternOptions,
} from './topic-options.ts'

const PUBLISHER_BYTES = 12

/**
 * Creates a topic. Its messages go through the store of a manager: the remote one, or without one this process.
 *
 * Delivery is at most once: a message is not kept, and who is not listening when it is published never gets it. Use a stream where each
 * message must be handled.
 *
 * @throws InvalidOptionError when an option is unknown or wrong, or when no store of the manager has topics; ClosedError
 * @example
 * const prices = createTopic(caches, { name: 'prices', schema: Price })
 * await using subscription = prices.subscribe((price, { missed }) => show(price))
 * await prices.publish({ symbol: 'ACME', cents: 1_299 })
 */
export function createTopic<Input = unknown, Output = Input>(
  caches: CacheManager,
  options: TopicOptions<Input, Output>,
): Topic<Input, Output> {
  return new Topic(topicPartsOf(caches, 'createTopic'), resolveTopicOptions(options))
}

/**
 * Creates a pattern, to subscribe to many topics at once. An asterisk stands for one segment: `orders.*` is about `orders.paid`, and not
 * about `orders` or `orders.eu.paid`. Topics with `sharded` are not heard in a Cluster.
 *
 * @throws as `createTopic`
 * @example createTopicPattern(caches, { pattern: 'orders.*', schema: OrderEvent }).subscribe((event, { topic }) => log(topic, event))
 */
export function createTopicPattern<Output = unknown>(
  caches: CacheManager,
  options: TopicPatternOptions<Output>,
): TopicPattern<Output> {
  return new TopicPattern(
    topicPartsOf(caches, 'createTopicPattern'),
    resolvePatternOptions(options),
  )
}

/** Topics that a pattern is about. Delivery is at most once. */
export class TopicPattern<Output> {
  readonly delivery = 'at-most-once'
  readonly #parts: TopicParts
  readonly #options: ResolvedTopicOptions

  /** Use `createTopicPattern`. */
  constructor(parts: TopicParts, options: ResolvedTopicOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** As that of `Topic`. */
  subscribe(handler: TopicHandler<Output>, options: SubscribeOptions = {}): Subscription {
    return subscribe(this.#parts, this.#options, { handler, options })
  }
}

/** A topic. Delivery is at most once. */
export class Topic<Input, Output> {
  readonly delivery = 'at-most-once'
  readonly #parts: TopicParts
  readonly #options: ResolvedTopicOptions
  readonly #publisher = randomBytes(PUBLISHER_BYTES).toString('base64url')
  #sequence = 0
  /** Resolves when the last message was handed to the store. */
  #sent: Promise<unknown> = Promise.resolve()

  /** Use `createTopic`. */
  constructor(parts: TopicParts, options: ResolvedTopicOptions) {
    this.#parts = parts
    this.#options = options
  }

  /**
   * Publishes a message, in the order of the calls. It is sent as it was given, once the schema has taken it; each receiver gets what its
   * own schema makes of it. Resolves when the store has taken it, which says nothing about who has heard it.
   *
   * @throws MessageInvalidError; InvalidOptionError for a message that is too large; ValueError for what would not come back unchanged;
   *   TopicUnavailableError, when it may have been published or not; ClosedError
   */
  async publish(message: Input): Promise<void> {
    const { name, schema, maxBytes, timeoutMs } = this.#options
    const { store, namespace } = this.#parts
    if (store.isClosed) throw new ClosedError(namespace, 'topic.publish')
    const before = this.#sent
    let isSent: () => void = () => undefined
    this.#sent = new Promise<void>((resolve) => {
      isSent = resolve
    })
    try {
      const checking = checked(schema, message, { topic: name, side: 'send' })
      // Encoded in this step, as it is checked: the caller may change it while it waits.
      const encoding = encodedNow(this.#parts.values, message)
      checking.catch(() => undefined)
      await before
      await checking
      const payload = await this.#seal(encoding())
      if (payload.length > maxBytes) {
        const expected = `a message of at most ${maxBytes} bytes, as encoded`
        const described = `one of ${payload.length} bytes`
        throw new InvalidOptionError({
          option: 'topic.publish.message',
          expected,
          received: undefined,
          described,
        })
      }
      this.#sequence += 1
      const { isPattern, isSharded } = this.#options
      const taken = store.ask('publish', timeoutMs, (provider) =>
        provider.publish({ name, isPattern, isSharded }, payload),
      )
      isSent()
      await taken
    } finally {
      isSent()
    }
  }

  /**
   * Calls a handler with each message from now on, one after the other; what it throws is reported as a `topic` event, and the next message
   * follows. It runs in the async context (`AsyncLocalStorage`) of this call.
   *
   * @throws InvalidOptionError; ClosedError
   */
  subscribe(handler: TopicHandler<Output>, options: SubscribeOptions = {}): Subscription {
    return subscribe(this.#parts, this.#options, { handler, options })
  }

  #seal(encoded: Uint8Array): Promise<Uint8Array> {
    const { name } = this.#options
    const attributes = {
      id: `${this.#sequence + 1}`,
      source: this.#publisher,
      type: name,
      time: new Date().toISOString(),
    }
    return sealMessage(this.#parts.values, `topic:${name}`, { attributes, encoded })
  }
}

function subscribe<Output>(
  parts: TopicParts,
  topic: ResolvedTopicOptions,
  {
    handler,
    options,
  }: { readonly handler: TopicHandler<Output>; readonly options: SubscribeOptions },
): Subscription {
  assertFunction(handler, 'topic.subscribe.handler')
  const resolved = resolveSubscribeOptions(options)
  if (parts.store.isClosed) throw new ClosedError(parts.namespace, 'topic.subscribe')
  // What reaches it has gone through the schema, or there is none.
  const anyHandler = handler as TopicHandler<unknown>
  return new Subscription({ parts, topic, options: resolved, handler: anyHandler })
}

/** What a manager offers for topics. @throws InvalidOptionError, also where no store of the manager has topics; ClosedError */
function topicPartsOf(caches: CacheManager, where: string): TopicParts {
  if (typeof caches?.[INTERNALS]?.topics === 'function') return caches[INTERNALS].topics()
  const expected = 'a manager of createCacheManager'
  throw new InvalidOptionError({ option: `${where}.caches`, expected, received: caches })
}
