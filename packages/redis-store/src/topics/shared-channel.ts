/** One channel of Redis, and all who listen to it in this process: it is subscribed to once. */

import type { TopicListener } from '@larder/core/store'
import type { SubscribeKind, Subscriber } from '../connection/subscriber.ts'

export interface SharedChannelParts {
  /** With asterisks, when it is a pattern. */
  readonly channel: string
  /** Where the name of the topic begins in the name of the channel. */
  readonly start: number
  readonly isPattern: boolean
  readonly kind: SubscribeKind
  readonly subscriber: Subscriber
  /** Closes a subscriber that this channel has for itself. */
  release?(): Promise<void>
}

export class SharedChannel {
  readonly #parts: SharedChannelParts
  readonly #listeners = new Set<TopicListener>()
  #isUp = false
  #isClosed = false

  constructor(parts: SharedChannelParts) {
    this.#parts = parts
    const { subscriber, channel, kind } = parts
    subscriber.listen(
      channel,
      {
        onPayload: (payload, from) => this.#receive(payload, from),
        onUp: () => this.#up(),
        onDown: (reason) => this.#down(reason),
      },
      kind,
    )
  }

  get isEmpty(): boolean {
    return this.#listeners.size === 0
  }

  /** Returns what ends it. */
  join(listener: TopicListener): () => void {
    // One object may listen twice; what ends one must not end the other.
    const own: TopicListener = {
      onMessage: (topic, payload) => listener.onMessage(topic, payload),
      onUp: () => listener.onUp(),
      onDown: (reason) => listener.onDown(reason),
    }
    this.#listeners.add(own)
    if (this.#isUp) {
      queueMicrotask(() => {
        if (this.#isUp && this.#listeners.has(own)) own.onUp()
      })
    }
    return () => this.#listeners.delete(own)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const { subscriber, channel, kind, release } = this.#parts
    this.#listeners.clear()
    subscriber.forget(channel, kind)
    await release?.()
  }

  #receive(payload: Buffer, from: string): void {
    const { channel, start, isPattern } = this.#parts
    // To Redis an asterisk stands for any text; here for one segment.
    if (isPattern && !isMatch(channel.slice(start), from.slice(start))) return
    const topic = from.slice(start)
    for (const listener of [...this.#listeners]) {
      if (this.#listeners.has(listener)) listener.onMessage(topic, payload)
    }
  }

  #up(): void {
    this.#isUp = true
    for (const listener of [...this.#listeners]) listener.onUp()
  }

  #down(reason: unknown): void {
    this.#isUp = false
    for (const listener of [...this.#listeners]) listener.onDown(reason)
  }
}

function isMatch(pattern: string, topic: string): boolean {
  const wanted = pattern.split('.')
  const given = topic.split('.')
  return (
    wanted.length === given.length &&
    wanted.every((segment, i) => segment === '*' || segment === given[i])
  )
}
