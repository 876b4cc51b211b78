/**
 * Pub/sub of invalidations and wake-ups. Delivery is at most once, and the engine detects loss.
 *
 * The channel's name says which store the messages are about (see `channelName`), so the store is asked for its identity
 * before anything is subscribed to or published: when a connection for commands is made, and with every sync, because a
 * store can lose its identity, or be replaced by another one, while connections stand. Until all nodes have noticed, messages
 * are lost between those that have and those that have not; the same syncs find out what was missed.
 *
 * The engine is told that the bus is up when the store can be asked too: else the sync that it then runs would fail.
 */

import { StoreRefusedError, StoreUnavailableError } from '@larder/core'
import type { Bus, BusListener, BusMessage } from '@larder/core/store'
import type { Backend } from '../backend.ts'
import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import { refusalOf, refused } from '../connection/refusal.ts'
import { within } from '../connection/within.ts'
import { channelName } from '../key-layout.ts'
import { decodeMessages, encodeMessage } from './bus-message.ts'
import { identify, readIdentity } from './store-identity.ts'

const CLUSTER_ANSWERS_WITHIN_MS = 1_000

export class RedisBus implements Bus {
  readonly name = 'redis'
  readonly #backend: Backend
  #namespace: string | undefined
  #listener: BusListener | undefined
  /** The identity of the store to which the connection for commands leads; `undefined` until it was asked. */
  #identity: string | undefined
  /** What is subscribed to, or being subscribed to. */
  #listening: string | undefined
  #isSubscribed = false
  /** The subscription stands, and the engine has not been told. */
  #owesUp = false
  #isClosed = false

  constructor(backend: Backend) {
    this.#backend = backend
  }

  /** Where messages about the store are published now. */
  get channel(): string {
    const identity = this.#identity ?? ''
    return channelName(this.#namespace ?? '', { database: this.#backend.database, identity })
  }

  /** Sets the namespace of the messages, at the latest with `subscribe`. */
  open(namespace: string): void {
    this.#namespace ??= namespace
    // Connected already for another use, such as locks, and not asked then.
    if (this.#backend.client !== undefined) void this.#follow(this.#backend.client)
  }

  subscribe(namespace: string, listener: BusListener): void {
    if (this.#isClosed) return
    this.#listener = listener
    this.#namespace ??= namespace
    const { client } = this.#backend
    if (client === undefined) this.#backend.open(namespace, 'cache')
    else void this.#follow(client)
  }

  /** @throws StoreUnavailableError; StoreRefusedError; what the connection failed with */
  async publish(message: BusMessage): Promise<void> {
    const client = await this.#backend.connected('publish')
    if (this.#namespace === undefined) throw new StoreUnavailableError('publish')
    try {
      await client.publish(this.channel, encodeMessage(message))
    } catch (error) {
      throw refused('publish', error)
    }
  }

  /** Asks a store that was just connected for its identity. @throws what the connection failed with */
  async prepare(client: RedisClient): Promise<void> {
    const namespace = this.#namespace
    if (namespace === undefined) return
    if (!isCluster(client)) this.#identity = await identify(client, namespace)
    // The master of a Cluster that knows it may be away while the others work.
    else await within(CLUSTER_ANSWERS_WITHIN_MS, this.look(client)).catch(() => undefined)
    this.#identity ??= ''
  }

  /** The connection for commands stands. */
  connected(): void {
    const { client } = this.#backend
    if (this.#namespace !== undefined && client !== undefined) void this.#follow(client)
    this.doubt()
  }

  /** There is no connection for commands. No subscription is made before the first one. */
  disconnected(reason: unknown): void {
    if (this.#listening === undefined) this.#listener?.onDown(reason)
  }

  /** Asks the store for its identity again. Never rejects: a store that cannot be asked counts as the same. */
  async look(client = this.#backend.client): Promise<void> {
    const namespace = this.#namespace
    if (client === undefined || namespace === undefined || this.#isClosed) return
    let identity: string
    try {
      const found = await readIdentity(client, namespace)
      if (found === this.#identity && found !== undefined) return
      identity = found ?? (await identify(client, namespace))
    } catch {
      // The sync beside it fails as well, and is reported.
      return
    }
    if (identity === '') return
    this.#identity = identity
    if (this.#backend.client !== undefined) this.#listen()
  }

  /** Tells the engine that something other than the subscription suggests another look. */
  doubt(): void {
    if (this.#owesUp) this.#tellUp()
    else this.#listener?.onDoubt()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#listener = undefined
    await this.#backend.subscriber.close()
  }

  async #follow(client: RedisClient): Promise<void> {
    try {
      if (this.#identity === undefined) await this.prepare(client)
    } catch {
      // The connection is over; the next one asks again.
      return
    }
    this.#listen()
  }

  /** Subscribes to the channel of the store as it is known now. */
  #listen(): void {
    const { subscriber } = this.#backend
    const { channel } = this
    if (this.#listener === undefined || this.#isClosed || channel === this.#listening) return
    const before = this.#listening
    this.#listening = channel
    this.#isSubscribed = false
    this.#owesUp = false
    if (before !== undefined) {
      subscriber.forget(before)
      subscriber.renew(new Error('The store is another one than before'))
    }
    subscriber.listen(channel, {
      onPayload: (payload) => this.#receive(payload),
      onUp: () => {
        this.#isSubscribed = true
        this.#tellUp()
      },
      onDown: (reason) => {
        this.#isSubscribed = false
        this.#owesUp = false
        this.#listener?.onDown(this.#whyDown(reason))
      },
    })
  }

  #whyDown(reason: unknown): unknown {
    if (refusalOf(reason) !== 'rights') return reason
    const { message } = reason as Error
    const words = `${message}. It needs SUBSCRIBE and channels that begin with ${this.#namespace}: (&${this.#namespace}:*)`
    return new StoreRefusedError('to be listened to', 'rights', words, reason)
  }

  #tellUp(): void {
    this.#owesUp = this.#isSubscribed && this.#backend.client === undefined
    if (this.#isSubscribed && !this.#owesUp) this.#listener?.onUp()
  }

  #receive(payload: Buffer): void {
    if (this.#listener === undefined) return
    let messages: readonly BusMessage[]
    try {
      messages = decodeMessages(payload)
    } catch (reason) {
      this.#listener.onGarbage(reason)
      return
    }
    for (const message of messages) this.#listener?.onMessage(message)
  }
}
