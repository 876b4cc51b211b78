/** The engine over a three-master Cluster: the same semantics, and a failover that loses no eviction. */

import { type CacheManager, type CacheOptions, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { type RedisStoreOptions, redisStore } from '@larder/redis-store'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'

const ROOM_MS = 20_000

let cluster: RedisCluster
beforeAll(async () => {
  cluster = await startCluster({ masters: 3, replicasPerMaster: 1 })
}, 120_000)
afterAll(() => cluster.stop())

async function startNode(
  namespace: string,
  options: RedisStoreOptions,
  policy: CacheOptions = {},
): Promise<CacheManager> {
  const caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore(options),
    default: false,
    storeTimeout: '2s',
    defaults: { ttl: '1h', jitter: 0, maxStaleness: '1s', ...policy },
  })
  onTestFinished(() => caches.close())
  let state: string | undefined
  caches.on('coherence', (event) => {
    state = event.state
  })
  await caches.cache('warm-up').get('x')
  await eventually('the node is verified', () => state === 'verified', ROOM_MS)
  return caches
}

async function startPair(): Promise<readonly [CacheManager, CacheManager]> {
  const namespace = freshNamespace()
  const nodes = [...cluster.startupNodes]
  return Promise.all([
    startNode(namespace, { cluster: nodes }),
    startNode(namespace, { cluster: nodes }),
  ])
}

const KEYS = Array.from({ length: 60 }, (_, i) => `k${i}`)

describe('over a Cluster', () => {
  it('keys of all slots are loaded once, read together, evicted and forgotten everywhere', async () => {
    const [a, b] = await startPair()
    const onA = a.cache<string>('c')
    const onB = b.cache<string>('c')
    let loads = 0
    const load = async (): Promise<string> => {
      loads += 1
      return 'v1'
    }
    await Promise.all(KEYS.flatMap((key) => [onA.getOrLoad(key, load), onB.getOrLoad(key, load)]))
    expect(loads).toBe(KEYS.length)
    expect(await onB.getMany(KEYS)).toEqual(KEYS.map(() => 'v1'))

    await onA.evictMany(KEYS.slice(0, 30))
    await eventually('B forgets what was evicted', async () => {
      const found = await onB.getMany(KEYS)
      return found.every((value, i) => (i < 30 ? value === undefined : value === 'v1'))
    })

    await onB.set('k0', 'v2', { tags: ['t'] })
    await eventually('A has it', async () => (await onA.get('k0')) === 'v2')
    await onB.evictTags(['t'])
    await eventually('A forgets the tag', async () => (await onA.get('k0')) === undefined)

    let evicted = 0
    for await (const progress of onA.evictPattern('k*')) evicted = progress.evicted
    expect(evicted).toBeGreaterThanOrEqual(30)
    expect(await onA.getMany(KEYS)).toEqual(KEYS.map(() => undefined))
    await onA.clear()
  })

  it('a Cluster client that was handed in keeps its listeners', async () => {
    const client = new Cluster([...cluster.startupNodes])
    onTestFinished(() => client.disconnect())
    await client.ping()
    const count = (): number =>
      client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0)
    const before = count()
    const node = await startNode(freshNamespace(), { client })
    expect(await node.cache<string>('c').getOrLoad('k', async () => 'v')).toBe('v')
    await node.close()
    expect(count()).toBe(before)
    expect(await client.ping()).toBe('PONG')
  })

  it('reads go on through a failover, and what is evicted stays evicted', async () => {
    const [a, b] = await startPair()
    const onA = a.cache<string>('c')
    const onB = b.cache<string>('c')
    let source = 'v1'
    const load = async (): Promise<string> => source
    await Promise.all(KEYS.map((key) => onA.getOrLoad(key, load)))
    await eventually('B has everything', async () => {
      return (await onB.getMany(KEYS)).every((value) => value === 'v1')
    })

    const [master] = await cluster.masters()
    if (master === undefined) throw new Error('The cluster has no master')
    const failover = cluster.failover(master, 'takeover')
    source = 'v2'
    await onA.evictMany(KEYS)
    const reading = Promise.all(KEYS.map((key) => onA.getOrLoad(key, load)))
    expect(await reading).toEqual(KEYS.map(() => 'v2'))
    await failover

    await eventually(
      'B reads the new values',
      async () => {
        const values = await Promise.all(KEYS.map((key) => onB.getOrLoad(key, load)))
        return values.every((value) => value === 'v2')
      },
      ROOM_MS,
    )
  })
})
