/** Pub/sub on a connection of its own. Delivery is at most once, and loss is for the engine to find. */

import type { Bus, BusListener, BusMessage } from '@larder/core'
import { decodeMessage } from './bus-message.ts'
import { addressOf } from './cluster-nodes.ts'
import { channelName } from './key-layout.ts'
import { Link } from './link.ts'
import type { RedisClient } from './redis-client.ts'

export interface RedisBusParts {
  readonly pingEveryMs: number
  /** Makes a client for the subscription that has not connected yet. */
  create(): Promise<RedisClient>
}

export class RedisBus implements Bus {
  readonly name = 'redis'
  readonly #link: Link
  #listener: BusListener | undefined
  #channel = ''
  #isClosed = false

  constructor({ create, pingEveryMs }: RedisBusParts) {
    this.#link = new Link({
      create,
      pingEveryMs,
      // Subscribing belongs to the attempt: a connection that may not subscribe is no better than none.
      prepare: (client) => this.#subscribe(client),
      onUp: () => this.#listener?.onUp(),
      onDown: (reason) => this.#listener?.onDown(reason),
    })
  }

  subscribe(namespace: string, listener: BusListener): void {
    if (this.#isClosed) return
    this.#listener = listener
    this.#channel = channelName(namespace)
    void this.#link.open()
  }

  /** Tells the engine that something else than the subscription suggests to look again. */
  doubt(): void {
    this.#listener?.onDoubt()
  }

  /** Subscribes elsewhere if the node at this address, which the Cluster lost, was the one listened to. */
  leave(address: string): void {
    const { client } = this.#link
    if (client !== undefined && addressOf(client) === address) {
      this.#link.renew(new Error('The node listened to left the Cluster'))
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#listener = undefined
    await this.#link.close()
  }

  async #subscribe(client: RedisClient): Promise<void> {
    client.on('messageBuffer', this.#receive)
    await client.subscribe(this.#channel)
  }

  readonly #receive = (channel: Buffer, payload: Buffer): void => {
    if (this.#listener === undefined || channel.toString() !== this.#channel) return
    let message: BusMessage
    try {
      message = decodeMessage(payload)
    } catch (reason) {
      this.#listener.onGarbage(reason)
      return
    }
    this.#listener.onMessage(message)
  }
}
