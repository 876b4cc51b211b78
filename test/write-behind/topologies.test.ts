/** A queue on a Cluster of three masters, and behind Sentinel through a failover. */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createWriteBehind } from '@larder/plugins/write-behind'
import { type RedisStoreOptions, redisStore } from '@larder/redis-store'
import { expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startCluster } from '../support/redis/redis-cluster.ts'
import { startSentinel } from '../support/redis/redis-sentinel.ts'
import { Database } from './support/stage.ts'

function open(store: RedisStoreOptions) {
  const caches = createCacheManager({
    namespace: freshNamespace(),
    local: lruStore(),
    remote: redisStore(store),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  const database = new Database()
  const options = { cache: 'rows', every: '1h', storeTimeout: '10s', drain: 0 } as const
  const queue = createWriteBehind<unknown>(caches, {
    name: 'progress',
    write: database.write,
    ...options,
  })
  const rows = caches.cache('rows', { behind: 'progress' })
  return { caches, database, queue, rows }
}

const VALUES = Array.from({ length: 40 }, (_, i) => [`k${i}`, i] as const)

it('a Cluster keeps each queue on one of its masters, and reads beside it see what waits', async () => {
  const cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  onTestFinished(() => cluster.stop())
  const { caches, database, queue, rows } = open({ cluster: [...cluster.startupNodes] })
  await queue.putMany(VALUES)
  await caches.clear()
  for (const [key, value] of VALUES)
    expect(await rows.getOrLoad(key, () => Promise.reject(new Error('no load')))).toBe(value)
  await queue.flush()
  expect(database.rows.size).toBe(VALUES.length)
}, 120_000)

it('behind Sentinel, versions and fences grow through a failover, and writes go on', async () => {
  const sentinel = await startSentinel()
  onTestFinished(() => sentinel.stop())
  const options = { sentinels: [...sentinel.sentinelAddresses], name: sentinel.name }
  const { database, queue } = open({ options })
  await queue.putMany(VALUES)
  await queue.flush()
  const fence = database.contexts.at(-1)?.fence ?? 0
  await sentinel.failover('crash')
  await eventually('a write is taken', () => queue.put('k0', 'new').then(() => true), 60_000)
  await queue.put('k1', 'new')
  await eventually('it is written', () => queue.flush().then(() => true), 60_000)
  expect(database.get('k0')).toBe('new')
  expect(database.get('k1')).toBe('new')
  expect(database.stepsBack).toEqual([])
  expect(database.contexts.at(-1)?.fence).toBeGreaterThanOrEqual(fence)
}, 180_000)
