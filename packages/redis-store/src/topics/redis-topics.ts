/**
 * Topics on the pub/sub of Redis.
 *
 * They have a subscriber of their own: Redis ends a connection that reads too slowly, and that must not be the one that hears of
 * evictions. In a Cluster, messages of one topic go out over one server, the one that would keep a key of the channel's name: over
 * several, they would overtake each other.
 */

import type {
  TopicCapabilities,
  TopicListener,
  TopicProvider,
  TopicTarget,
} from '@larder/core/store'
import { type BackedParts, BackedProvider } from '../backed-provider.ts'
import { Backend } from '../backend.ts'
import { masterFinder } from '../connection/cluster-nodes.ts'
import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import { isRedirection, isUnknownCommand, withoutCommand } from '../connection/redis-error.ts'
import { refused } from '../connection/refusal.ts'
import { topicChannel } from '../key-layout.ts'
import { isClusterTarget, type RedisStoreOptions, resolveRedisStoreOptions } from '../options.ts'
import { SharedChannel } from './shared-channel.ts'

/**
 * Creates a provider of topics on a Redis of its own, apart from the cache's. `redisStore` brings one along for the server it uses.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', topics: redisTopics({ url: process.env.TOPICS_URL }) })
 */
export function redisTopics(options: RedisStoreOptions): TopicProvider {
  const resolved = resolveRedisStoreOptions(options)
  const backend = new Backend(resolved)
  return new RedisTopics({ backend, options: resolved, ownsBackend: true })
}

export class RedisTopics extends BackedProvider implements TopicProvider {
  readonly capabilities: TopicCapabilities = { shared: true }
  readonly #isInCluster: boolean
  /** By how they are subscribed to, and their name. */
  readonly #channels = new Map<string, SharedChannel>()
  #plain: ReturnType<Backend['ownSubscriber']> | undefined
  #hasShards = true
  #isClosed = false

  constructor(parts: BackedParts) {
    super(parts, 'topics')
    this.#isInCluster = isClusterTarget(parts.options.target)
  }

  async publish(target: TopicTarget, payload: Uint8Array): Promise<void> {
    const client = await this.backend.connected('publish')
    const channel = this.#channelOf(target)
    const { buffer, byteOffset, byteLength } = payload
    const bytes = Buffer.from(buffer, byteOffset, byteLength)
    try {
      await this.#send(client, { channel, bytes, isSharded: this.#isSharded(target) })
    } catch (error) {
      throw refused('publish', withoutCommand(error))
    }
  }

  listen(target: TopicTarget, listener: TopicListener): () => void {
    if (this.#isClosed) return () => undefined
    const channel = this.#channelOf(target)
    const kind = target.isPattern ? 'psubscribe' : 'subscribe'
    const key = `${this.#isSharded(target) ? 'ssubscribe' : kind} ${channel}`
    const shared = this.#channels.get(key) ?? this.#open(key, target)
    const leave = shared.join(listener)
    return () => {
      leave()
      if (!shared.isEmpty || this.#channels.get(key) !== shared) return
      this.#channels.delete(key)
      void shared.close()
    }
  }

  override async close(): Promise<void> {
    this.#isClosed = true
    const shared = [...this.#channels.values()]
    this.#channels.clear()
    await Promise.all([...shared.map((each) => each.close()), this.#plain?.release()])
    await super.close()
  }

  #open(key: string, target: TopicTarget): SharedChannel {
    const channel = this.#channelOf(target)
    const start = channel.length - target.name.length
    const parts = { channel, start, isPattern: target.isPattern }
    const shared = this.#isSharded(target)
      ? new SharedChannel({ ...parts, kind: 'ssubscribe', ...this.backend.ownSubscriber(channel) })
      : new SharedChannel({
          ...parts,
          kind: target.isPattern ? 'psubscribe' : 'subscribe',
          subscriber: this.#plainSubscriber,
        })
    this.#channels.set(key, shared)
    return shared
  }

  get #plainSubscriber() {
    this.#plain ??= this.backend.ownSubscriber()
    return this.#plain.subscriber
  }

  #isSharded({ isSharded, isPattern }: TopicTarget): boolean {
    return isSharded && !isPattern && this.#isInCluster
  }

  #channelOf({ name }: TopicTarget): string {
    return topicChannel(this.namespace, this.backend.database, name)
  }

  async #send(
    client: RedisClient,
    message: { readonly channel: string; readonly bytes: Buffer; readonly isSharded: boolean },
  ): Promise<void> {
    const server = isCluster(client) ? masterFinder(client)(message.channel) : undefined
    try {
      await this.#publishTo(server ?? client, message)
    } catch (error) {
      // The shard is another server's by now; the Cluster client finds it.
      if (server === undefined || !isRedirection(error)) throw error
      await this.#publishTo(client, message)
    }
  }

  async #publishTo(
    to: RedisClient,
    {
      channel,
      bytes,
      isSharded,
    }: { readonly channel: string; readonly bytes: Buffer; readonly isSharded: boolean },
  ): Promise<void> {
    if (!isSharded || !this.#hasShards) {
      await to.publish(channel, bytes)
      return
    }
    try {
      await to.spublish(channel, bytes)
    } catch (error) {
      if (!isUnknownCommand(error)) throw error
      this.#hasShards = false
      await to.publish(channel, bytes)
    }
  }
}
