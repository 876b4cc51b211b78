import { Redis, type RedisOptions } from 'ioredis'
import { Loader } from 'layered-loader'
import { createNotificationPair, RedisCache } from 'layered-loader/redis'
import type { Contestant, DuelNode, DuelSetup } from '../contestant.ts'

export const layeredLoader: Contestant = {
  name: 'layered-loader',
  setup: 'its README, "Update notifications": memory, RedisCache and a Redis notification pair',
  start: (setup) => start(setup, {}, undefined),
}

export const layeredLoaderTuned: Contestant = {
  name: 'layered-loader, tuned',
  setup: 'the same with its timeoutInMsecs, and a client that gives up soon',
  start: (setup) =>
    start(setup, { maxRetriesPerRequest: 1, commandTimeout: 250, enableOfflineQueue: false }, 250),
}

async function start(
  { host, port, load }: DuelSetup,
  client: RedisOptions,
  timeoutInMsecs: number | undefined,
): Promise<DuelNode> {
  const make = (options: object): Redis => {
    const made = new Redis({ host, port, ...options })
    made.on('error', () => undefined)
    return made
  }
  // Notifications keep the client's own settings: a subscription must be tried again for as long as it takes.
  const [redis, publisherRedis, consumerRedis] = [make(client), make({}), make({})]
  const { publisher, consumer } = createNotificationPair<number>({
    channel: 'duel',
    consumerRedis: consumerRedis as never,
    publisherRedis: publisherRedis as never,
  })
  const loader = new Loader<number>({
    inMemoryCache: { cacheType: 'lru-object', ttlInMsecs: 3_600_000, maxItems: 10_000 },
    asyncCache: new RedisCache<number>(redis as never, {
      json: true,
      ttlInMsecs: 3_600_000,
      prefix: 'duel',
      ...(timeoutInMsecs === undefined ? {} : { timeoutInMsecs }),
    }),
    notificationConsumer: consumer,
    notificationPublisher: publisher,
    dataSources: [{ name: 'source', get: (key: string) => load(key) } as never],
  })
  await Promise.race([loader.init(), new Promise((end) => setTimeout(end, 2_000))])
  return {
    read: async (key) => (await loader.get(key)) ?? -1,
    evict: (key) => loader.invalidateCacheFor(key),
    async close() {
      for (const each of [redis, publisherRedis, consumerRedis]) each.disconnect()
    },
  }
}
