/** A connection that listens to channels. Delivery is at most once, and the listeners detect loss. */

import { addressOf, peerOf } from './cluster-nodes.ts'
import { Link } from './link.ts'
import type { RedisClient } from './redis-client.ts'
import { isUnknownCommand } from './redis-error.ts'

/** How a channel is subscribed to: by its name, by a pattern, or at the shard that serves it. The command for it. */
export type SubscribeKind = 'subscribe' | 'psubscribe' | 'ssubscribe'

/** The listener of one channel. None of its methods may throw. */
export interface ChannelListener {
  /** `channel`: the whole name, also for a pattern. */
  onPayload(payload: Buffer, channel: string): void
  /** The subscription stands (again); anything may have been missed before. */
  onUp(): void
  onDown(reason: unknown): void
}

export interface SubscriberParts {
  readonly pingEveryMs: number
  /** Makes a client for the subscriptions that has not connected yet. */
  create(): Promise<RedisClient>
}

const ENDED_BY = {
  subscribe: 'unsubscribe',
  psubscribe: 'punsubscribe',
  ssubscribe: 'sunsubscribe',
} as const

interface Listening {
  readonly channel: string
  readonly kind: SubscribeKind
  readonly listener: ChannelListener
}

export class Subscriber {
  readonly #link: Link
  readonly #listeners = new Map<string, Listening>()
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

  /** Listens to a channel from now on, one listener per channel and kind; connects at the first one. */
  listen(channel: string, listener: ChannelListener, kind: SubscribeKind = 'subscribe'): void {
    const listening = { channel, kind, listener }
    this.#listeners.set(keyOf(kind, channel), listening)
    const { client } = this.#link
    if (client === undefined) void this.#link.open()
    else void this.#add(client, listening)
  }

  /** Stops listening to a channel; `close` ends the connection. */
  forget(channel: string, kind: SubscribeKind = 'subscribe'): void {
    if (!this.#listeners.delete(keyOf(kind, channel))) return
    this.#subscribed.delete(keyOf(kind, channel))
    this.#link.client?.[ENDED_BY[kind]](channel).catch(() => undefined)
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

  /** Subscribes anew if commands go to another server by now, as after a failover. */
  follow(server: string | undefined): void {
    const { client } = this.#link
    if (client !== undefined && peerOf(client) !== server) {
      this.#link.renew(new Error('Commands go to another server than is listened to'))
    }
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    await this.#link.close()
  }

  async #subscribeAll(client: RedisClient): Promise<void> {
    client.on('messageBuffer', this.#receive)
    client.on('pmessageBuffer', this.#receiveByPattern)
    client.on('smessageBuffer', this.#receiveSharded)
    // The shard of a channel went to another server of the Cluster.
    client.on('moved', () => this.renew(new Error('The Cluster moved a channel')))
    const all = [...this.#listeners.values()]
    this.#subscribed = new Set(this.#listeners.keys())
    for (const kind of ['subscribe', 'psubscribe'] as const) {
      const channels = all.flatMap((each) => (each.kind === kind ? [each.channel] : []))
      if (channels.length > 0) await client[kind](...channels)
    }
    // Of several slots, so not in one command.
    for (const { kind, channel } of all)
      if (kind === 'ssubscribe') await send(client, kind, channel)
  }

  /** A channel that came while the others were subscribed to found no standing connection to join. */
  #up(): void {
    for (const [key, listening] of this.#listeners) {
      const { client } = this.#link
      if (this.#subscribed.has(key)) listening.listener.onUp()
      else if (client !== undefined) void this.#add(client, listening)
    }
  }

  async #add(client: RedisClient, listening: Listening): Promise<void> {
    const { kind, channel, listener } = listening
    try {
      this.#subscribed.add(keyOf(kind, channel))
      await send(client, kind, channel)
      if (this.#listeners.get(keyOf(kind, channel)) === listening) listener.onUp()
    } catch (error) {
      this.#link.renew(error)
    }
  }

  #down(reason: unknown): void {
    for (const { listener } of this.#listeners.values()) listener.onDown(reason)
  }

  readonly #receive = (channel: Buffer, payload: Buffer): void => {
    const name = channel.toString()
    const isPlain = this.#listeners.has(keyOf('subscribe', name))
    this.#tell(isPlain ? 'subscribe' : 'ssubscribe', name, { payload })
  }

  readonly #receiveByPattern = (
    pattern: Buffer | string,
    channel: Buffer,
    payload: Buffer,
  ): void => {
    this.#tell('psubscribe', pattern.toString(), { payload, channel: channel.toString() })
  }

  readonly #receiveSharded = (channel: Buffer, payload: Buffer): void => {
    this.#tell('ssubscribe', channel.toString(), { payload })
  }

  #tell(
    kind: SubscribeKind,
    name: string,
    { payload, channel = name }: { readonly payload: Buffer; readonly channel?: string },
  ): void {
    this.#listeners.get(keyOf(kind, name))?.listener.onPayload(payload, channel)
  }
}

/** Servers before Redis 7 have no shards for channels, and theirs are published to everywhere. */
async function send(client: RedisClient, kind: SubscribeKind, channel: string): Promise<void> {
  try {
    await client[kind](channel)
  } catch (error) {
    if (kind !== 'ssubscribe' || !isUnknownCommand(error)) throw error
    await client.subscribe(channel)
  }
}

function keyOf(kind: SubscribeKind, channel: string): string {
  return `${kind} ${channel}`
}
