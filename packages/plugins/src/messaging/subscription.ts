/**
 * A handler of the messages of a topic.
 *
 * Messages are read, checked and handled one after the other, so that those of one publisher stay in order. Whatever is wrong with one
 * concerns that one only: it is counted and reported, and the next one follows. Gaps are looked for when a message has been read and not
 * when it arrives: with an encryption, numbers that somebody else made up do not get that far.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { ClosedError } from '@larder/core'
import { type KeptContext, keepContext, runIn, type TopicParts } from '@larder/core/store'
import { attributesOf, type Message, openMessage } from './envelope.ts'
import { MessageBuffer, type WaitingMessage } from './message-buffer.ts'
import { PublisherSequences, sequenceIn } from './publisher-sequences.ts'
import { checked } from './schema.ts'
import type { Missed, ResolvedSubscribeOptions, ResolvedTopicOptions } from './topic-options.ts'

/** What a handler is told beside the message. */
export interface TopicDelivery {
  /**
   * How many messages of the topic were missed since the last one that was handled: lost on the way, or dropped because the handler was
   * too slow. `unknown` for the first one after the connection was lost: publishers that were not heard of before may have published.
   */
  readonly missed: Missed
  /** The topic; of a pattern, the one that the message is of. */
  readonly topic: string
  /** Who published it. One that starts anew is another publisher. */
  readonly publisher: string
  /** When it was published, by the clock of the publisher. */
  readonly time: string
}

export type TopicHandler<Output> = (message: Output, delivery: TopicDelivery) => unknown

/** What has happened since the subscription began. */
export interface SubscriptionStats {
  /** Handled without an error. */
  readonly handled: number
  /** The handler threw or rejected. */
  readonly failed: number
  /** Refused by the schema, not readable, or too large. */
  readonly invalid: number
  /** Known to be missed, `dropped` included. */
  readonly missed: number
  /** Dropped because the handler was too slow. */
  readonly dropped: number
  /** How often the connection was lost, so that anything may have been missed. */
  readonly interruptions: number
}

export interface SubscriptionParts {
  readonly parts: TopicParts
  readonly topic: ResolvedTopicOptions
  readonly options: ResolvedSubscribeOptions
  readonly handler: TopicHandler<unknown>
}

/** Whose handler runs: closing a subscription in its own handler must not wait for that. */
const handling = new AsyncLocalStorage<Subscription>()
const CLOSE_WITHIN_MS = 1_000

/** A subscription. Delivery is at most once. */
export class Subscription implements AsyncDisposable {
  readonly delivery = 'at-most-once'
  /** Resolves when messages arrive. Rejects with ClosedError when it is closed before. You need not wait for it. */
  readonly ready: Promise<void>
  readonly #made: SubscriptionParts
  readonly #context: KeptContext = keepContext()
  readonly #buffer: MessageBuffer
  readonly #sequences = new PublisherSequences()
  readonly #counts = { handled: 0, failed: 0, invalid: 0, missed: 0, dropped: 0, interruptions: 0 }
  readonly #stop: () => void
  readonly #forget: () => void
  #settleReady: { resolve(): void; reject(error: unknown): void } | undefined
  #state: 'starting' | 'up' | 'down' | 'closed' = 'starting'
  /** What the next handler call is told. */
  #missed: Missed = 0
  #work: Promise<void> | undefined

  /** Use `subscribe` of a topic. */
  constructor(made: SubscriptionParts) {
    this.#made = made
    const { parts, topic, options } = made
    this.#buffer = new MessageBuffer(options.buffer, options.bufferBytes)
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject }
    })
    this.ready.catch(() => undefined)
    const { name, isPattern, isSharded } = topic
    this.#stop = parts.store.provider.listen(
      { name, isPattern, isSharded },
      {
        onMessage: (from, payload) => this.#arrived({ topic: from, payload }),
        onUp: () => this.#up(),
        onDown: (error) => this.#down(error),
      },
    )
    this.#forget = parts.store.beforeClose(() => this.#closeShortly())
  }

  /** Returns what has happened so far. */
  stats(): SubscriptionStats {
    return { ...this.#counts }
  }

  /** Stops at once: what waits is not handled. Resolves when the handler that runs has ended, or at once when called in it. */
  async close(): Promise<void> {
    if (this.#state !== 'closed') {
      this.#state = 'closed'
      this.#stop()
      this.#forget()
      this.#buffer.clear()
      this.#settleReady?.reject(new ClosedError(this.#made.parts.namespace, 'topic.subscribe'))
    }
    if (handling.getStore() !== this) await this.#work
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #up(): void {
    if (this.#state === 'down') {
      this.#counts.interruptions += 1
      this.#miss('unknown', 'missed')
    }
    if (this.#state === 'closed') return
    this.#state = 'up'
    this.#settleReady?.resolve()
  }

  #down(error: unknown): void {
    const { events } = this.#made.parts
    if (this.#state === 'up') this.#state = 'down'
    if (this.#state !== 'closed')
      events.emit('store-error', { operation: 'topics.subscribe', error, skipped: false })
  }

  #arrived(message: WaitingMessage): void {
    if (this.#state === 'closed') return
    if (message.payload.length > this.#made.topic.maxBytes) {
      this.#refused(new RangeError('The message is larger than maxMessageBytes'))
      return
    }
    this.#drop(this.#buffer.push(message))
    this.#work ??= this.#handleAll().finally(() => {
      this.#work = undefined
    })
  }

  /** Their numbers count as passed, so that they are not told once more, as a gap. */
  #drop(messages: readonly WaitingMessage[]): void {
    let missed = 0
    for (const { payload } of messages) {
      const { source, id } = attributesOf(payload) ?? {}
      const sequence = sequenceIn(id ?? '')
      const gap =
        source === undefined || sequence === undefined ? 0 : this.#sequences.note(source, sequence)
      if (gap !== 'late') missed += gap + 1
    }
    this.#counts.dropped += messages.length
    if (missed > 0) this.#miss(missed, 'dropped')
  }

  /** Never rejects. */
  async #handleAll(): Promise<void> {
    // Not within the step in which it arrived: a handler must not run in the middle of the connection's work.
    await Promise.resolve()
    for (let next = this.#buffer.take(); next !== undefined; next = this.#buffer.take()) {
      await this.#handle(next)
    }
  }

  async #handle({ topic, payload }: WaitingMessage): Promise<void> {
    const { parts, topic: options } = this.#made
    let message: Message
    let value: unknown
    try {
      message = await openMessage(parts.values, `topic:${topic}`, payload)
      const gap = this.#gapBefore(message)
      if (gap === 'late') return
      if (gap > 0) this.#miss(gap, 'missed')
      value = await checked(options.schema, message.data, { topic, side: 'receive' })
    } catch (error) {
      this.#refused(error)
      return
    }
    if (this.#state === 'closed') return
    const missed = this.#missed
    this.#missed = 0
    const { source: publisher, time } = message.attributes
    await this.#call(value, { missed, topic, publisher, time })
  }

  #gapBefore({ attributes }: Message): number | 'late' {
    const sequence = sequenceIn(attributes.id)
    if (sequence === undefined) throw new Error('The message has no number')
    return this.#sequences.note(attributes.source, sequence)
  }

  async #call(value: unknown, delivery: TopicDelivery): Promise<void> {
    const { handler } = this.#made
    try {
      await runIn(this.#context, () => handling.run(this, () => handler(value, delivery)))
      this.#counts.handled += 1
    } catch (error) {
      this.#counts.failed += 1
      this.#report('failed', 1, error)
    }
  }

  #refused(error: unknown): void {
    this.#counts.invalid += 1
    this.#report('invalid', 1, error)
  }

  #miss(missed: Missed, reason: 'missed' | 'dropped'): void {
    if (typeof missed === 'number') this.#counts.missed += missed
    const isUnknown = missed === 'unknown' || this.#missed === 'unknown'
    this.#missed = isUnknown ? 'unknown' : (this.#missed as number) + (missed as number)
    this.#report(reason, missed, undefined)
    const { onMissed } = this.#made.options
    if (onMissed === undefined) return
    const failed = (error: unknown): void => this.#report('failed', 1, error)
    try {
      // It may be an async function: one that rejects must not end the process.
      Promise.resolve(runIn(this.#context, () => onMissed(missed))).catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  #report(
    reason: 'missed' | 'dropped' | 'invalid' | 'failed',
    count: Missed,
    error: unknown,
  ): void {
    const { parts, topic } = this.#made
    parts.events.emit('topic', { topic: topic.name, reason, count, error })
  }

  /** For the end of the manager, which a handler that never ends must not hold up. */
  async #closeShortly(): Promise<void> {
    const closed = this.close()
    let cancel: () => void = () => undefined
    const over = new Promise<void>((resolve) => {
      cancel = this.#made.parts.clock.schedule(CLOSE_WITHIN_MS, resolve, 'caller')
    })
    await Promise.race([closed, over])
    cancel()
  }
}
