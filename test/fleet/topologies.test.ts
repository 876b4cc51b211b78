/** Fleets on a Cluster of three masters, and behind Sentinel, through a failover of each. */

import { type CacheManager, createCacheManager } from '@larder/core'
import { type RedisStoreOptions, redisStore } from '@larder/redis-store'
import { inspectRedis } from '@larder/redis-store/inspect'
import { expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startCluster } from '../support/redis/redis-cluster.ts'
import { startSentinel } from '../support/redis/redis-sentinel.ts'

const ROOM_MS = 60_000

function start(namespace: string, name: string, options: RedisStoreOptions): CacheManager {
  const caches = createCacheManager({
    namespace,
    remote: redisStore({ pingEvery: '500ms', ...options }),
    fleet: { name, every: '1s' },
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  return caches
}

async function bothAreSeen(caches: CacheManager): Promise<void> {
  await eventually(
    'both are seen, and on time',
    async () => {
      const fleet = await caches.fleet().catch(() => undefined)
      const onTime = fleet?.nodes.filter(({ state }) => state === 'up')
      return onTime?.map(({ name }) => name).join() === 'one,two'
    },
    ROOM_MS,
  )
}

it('nodes on a Cluster see each other, in several namespaces, and after a master was lost', async () => {
  await using cluster = await startCluster({ masters: 3, replicasPerMaster: 1 })
  const options: RedisStoreOptions = { cluster: [...cluster.startupNodes] }
  // So many that each master has some.
  const namespaces = Array.from({ length: 6 }, freshNamespace)
  const managers = namespaces.map((namespace) => {
    start(namespace, 'two', options)
    return start(namespace, 'one', options)
  })
  for (const caches of managers) await bothAreSeen(caches)
  const inspection = await inspectRedis(options)
  for (const namespace of namespaces) {
    const { reported } = await inspection.fleet(namespace)
    expect(reported?.nodes.map(({ name }) => name)).toEqual(['one', 'two'])
  }
  await inspection.close()
  const slot = await cluster.slotOf(`{${namespaces[0]}:nodes}`)
  await cluster.failover(await cluster.masterOf(slot), 'takeover')
  for (const caches of managers) await bothAreSeen(caches)
}, 240_000)

it('nodes behind Sentinel see each other, and after the master has crashed', async () => {
  await using sentinel = await startSentinel()
  const options: RedisStoreOptions = {
    options: { sentinels: [...sentinel.sentinelAddresses], name: sentinel.name },
  }
  const namespace = freshNamespace()
  const one = start(namespace, 'one', options)
  start(namespace, 'two', options)
  await bothAreSeen(one)
  await sentinel.failover('crash')
  await bothAreSeen(one)
}, 240_000)
