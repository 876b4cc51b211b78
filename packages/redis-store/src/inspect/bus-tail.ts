/** Hears what the nodes of a namespace tell each other. */

import { type BusMessage, type CancelTimer, startTimer } from '@larder/core/store'
import { decodeMessage } from '../bus/bus-message.ts'
import { readIdentity } from '../bus/store-identity.ts'
import { subscriberOf } from '../connection/cluster-nodes.ts'
import { createClient } from '../connection/create-client.ts'
import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import { Subscriber } from '../connection/subscriber.ts'
import { channelName } from '../key-layout.ts'
import type { ResolvedRedisStoreOptions } from '../options.ts'

export interface BusTailListener {
  onMessage(message: BusMessage): void
  /** Bytes that are not a message. */
  onGarbage?(reason: unknown): void
  /** Listens (again); messages may have been missed before. */
  onUp?(): void
  onDown?(reason: unknown): void
}

export interface BusTail {
  close(): Promise<void>
}

export interface BusTailParts {
  readonly client: RedisClient
  readonly options: ResolvedRedisStoreOptions
  readonly database: number
  readonly namespace: string
  readonly listener: BusTailListener
}

/** How often it is looked whether the store has another name now, and the bus another channel. */
const LOOK_EVERY_MS = 2_000

export function tailBus(parts: BusTailParts): BusTail {
  return new Tail(parts)
}

class Tail implements BusTail {
  readonly #parts: BusTailParts
  readonly #subscriber: Subscriber
  #channel: string | undefined
  #cancelLook: CancelTimer | undefined
  #isClosed = false

  constructor(parts: BusTailParts) {
    this.#parts = parts
    const { client, options, database } = parts
    this.#subscriber = new Subscriber({
      create: isCluster(client)
        ? async () => subscriberOf(client)
        : () => createClient(options.target, database),
      pingEveryMs: options.pingEveryMs,
    })
    void this.#look()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelLook?.()
    await this.#subscriber.close()
  }

  /** The identity is read and never left: a store that no node has used stays as it is. */
  async #look(): Promise<void> {
    const { client, namespace, database } = this.#parts
    const identity = await readIdentity(client, namespace).catch(() => undefined)
    if (this.#isClosed) return
    const channel = channelName(namespace, { database, identity: identity ?? '' })
    if (identity !== undefined || this.#channel === undefined) this.#listen(channel)
    this.#cancelLook = startTimer(LOOK_EVERY_MS, () => void this.#look(), 'background')
  }

  #listen(channel: string): void {
    if (channel === this.#channel) return
    if (this.#channel !== undefined) this.#subscriber.forget(this.#channel)
    this.#channel = channel
    const { listener } = this.#parts
    this.#subscriber.listen(channel, {
      onPayload: (payload) => this.#receive(payload),
      onUp: () => listener.onUp?.(),
      onDown: (reason) => listener.onDown?.(reason),
    })
  }

  #receive(payload: Buffer): void {
    const { listener } = this.#parts
    let message: BusMessage
    try {
      message = decodeMessage(payload)
    } catch (reason) {
      listener.onGarbage?.(reason)
      return
    }
    listener.onMessage(message)
  }
}
