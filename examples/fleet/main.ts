/**
 * Two nodes report themselves, one reads more than the other, and a third program looks at both. With `REDIS_URL` they meet in
 * Redis, where `larder nodes` shows them as well; without it, in this process.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'

const url = process.env['REDIS_URL']

function startNode(name: string): CacheManager {
  return createCacheManager({
    namespace: 'fleet-example',
    local: lruStore(),
    ...(url === undefined ? {} : { remote: redisStore({ url }) }),
    fleet: { name, every: '1s' },
    default: false,
  })
}

async function read(node: CacheManager, ids: readonly string[]): Promise<void> {
  const products = node.cache<string>('products')
  for (const id of ids) await products.getOrLoad(id, async () => `product ${id}`)
}

function show({ nodes, total }: Awaited<ReturnType<CacheManager['fleet']>>): void {
  for (const { name, state, status, stats } of nodes) {
    const hits = `${Math.round(stats.hitRatio * 100)} % hits`
    console.log(`${name}: ${state}, ${status.health}, ${stats.loads} loads, ${hits}`)
  }
  console.log(`together: ${total.loads} loads, ${total.loadsSaved} saved\n`)
}

const api = startNode('api')
const worker = startNode('worker')
await read(api, ['1', '2', '1', '2'])
await read(worker, ['3', '4', '3', '4', '3', '4', '3', '4'])

// What was counted is in the next heartbeat, a second later at most.
while ((await api.fleet()).total.loads < 4) await delay(50)
show(await api.fleet())

// A node that is closed is gone at once, and what it has counted with it.
await worker.close()
show(await api.fleet())
await api.close()
