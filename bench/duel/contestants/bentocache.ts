import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { Redis, type RedisOptions } from 'ioredis'
import type { Contestant, DuelNode, DuelSetup } from '../contestant.ts'

export const bentocache: Contestant = {
  name: 'bentocache',
  setup: 'its documentation, "Multi-tier": memory, Redis and Redis bus',
  start: (setup) => start(setup, {}, {}),
}

export const bentocacheTuned: Contestant = {
  name: 'bentocache, tuned',
  setup: 'the same with its grace period and timeouts, and a client that gives up soon',
  start: (setup) =>
    start(
      setup,
      { maxRetriesPerRequest: 1, commandTimeout: 250 },
      { grace: '1m', timeout: '200ms' },
    ),
}

async function start(
  { host, port, load }: DuelSetup,
  client: RedisOptions,
  options: { readonly grace?: string; readonly timeout?: string },
): Promise<DuelNode> {
  const connection = new Redis({ host, port, ...(client as object) })
  // The bus keeps the client's own settings: a subscription must be tried again for as long as it takes.
  const busConnection = new Redis({ host, port })
  const clients = [connection, busConnection]
  for (const each of clients) each.on('error', () => undefined)
  const cache = new BentoCache({
    default: 'tiers',
    ...(options as object),
    stores: {
      tiers: bentostore()
        .useL1Layer(memoryDriver({ maxItems: 10_000 }))
        .useL2Layer(redisDriver({ connection: connection as never }))
        .useBus(redisBusDriver({ connection: busConnection as never })),
    },
  })
  return {
    read: (key) => cache.getOrSet({ key, ttl: '1h', factory: () => load(key) }),
    evict: async (key) => void (await cache.delete({ key })),
    async close() {
      await Promise.race([cache.disconnectAll(), new Promise((end) => setTimeout(end, 500))])
      for (const each of clients) each.disconnect()
    },
  }
}
