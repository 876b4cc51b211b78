/** A connection that listens to channels. Delivery is at most once, and the listeners detect loss. */

import { addressOf } from './cluster-nodes.ts'
import { Link } from './link.ts'
import type { RedisClient } from './redis-client.ts'

/** The listener of one channel. None of its methods may throw. */
export interface ChannelListener {
  onPayload(payload: Buffer): void
  /** The subscription stands (again); anything may have been missed before. */
  onUp(): void
  onDown(reason: unknown): void
}

export interface SubscriberParts {
  readonly pingEveryMs: number
  /** Makes a client for the subscriptions that has not connected yet. */
  create(): Promise<RedisClient>
}

export class Subscriber {
  readonly #link: Link
  readonly #listeners = new Map<string, ChannelListener>()
  /** Of the newest connection. */
  #subscribed = new Set<string>()

  constructor({ create, pingEveryMs }: SubscriberParts) {
    this.#link = new Link({
      create,
      pingEveryMs,
      // Subscribing belongs to the attempt: a connection that may not subscribe is useless.
      prepare: (client) => this.#subscribeAll(client),
      onUp: () => this.#up(),
      onDown: (reason) => this.#down(reason),
    })
  }

  /** Listens to a channel from now on, one listener per channel; connects at the first one. */
  listen(channel: string, listener: ChannelListener): void {
    this.#listeners.set(channel, listener)
    const { client } = this.#link
    if (client === undefined) void this.#link.open()
    else void this.#add(client, channel, listener)
  }

  /** Stops listening to a channel; `close` ends the connection. */
  forget(channel: string): void {
    if (!this.#listeners.delete(channel)) return
    this.#subscribed.delete(channel)
    this.#link.client?.unsubscribe(channel).catch(() => undefined)
  }

  /** Subscribes to everything anew over another connection: this one may lead to a server that is not the right one any more. */
  renew(reason: unknown): void {
    this.#link.renew(reason)
  }

  /** Subscribes elsewhere if the node at this address, which the Cluster lost, was the one listened to. */
  leave(address: string): void {
    const { client } = this.#link
    if (client !== undefined && addressOf(client) === address) {
      this.#link.renew(new Error('The node listened to left the Cluster'))
    }
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    await this.#link.close()
  }

  async #subscribeAll(client: RedisClient): Promise<void> {
    client.on('messageBuffer', this.#receive)
    const channels = [...this.#listeners.keys()]
    this.#subscribed = new Set(channels)
    if (channels.length > 0) await client.subscribe(...channels)
  }

  /** A channel that came while the others were subscribed to found no standing connection to join. */
  #up(): void {
    for (const [channel, listener] of this.#listeners) {
      const { client } = this.#link
      if (this.#subscribed.has(channel)) listener.onUp()
      else if (client !== undefined) void this.#add(client, channel, listener)
    }
  }

  async #add(client: RedisClient, channel: string, listener: ChannelListener): Promise<void> {
    try {
      this.#subscribed.add(channel)
      await client.subscribe(channel)
      if (this.#listeners.get(channel) === listener) listener.onUp()
    } catch (error) {
      this.#link.renew(error)
    }
  }

  #down(reason: unknown): void {
    for (const listener of this.#listeners.values()) listener.onDown(reason)
  }

  readonly #receive = (channel: Buffer, payload: Buffer): void => {
    this.#listeners.get(channel.toString())?.onPayload(payload)
  }
}
