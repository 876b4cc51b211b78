/** The engine behind Sentinel: a failover costs hits, not truth. */

import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisSentinel, startSentinel } from '../support/redis/redis-sentinel.ts'

const ROOM_MS = 20_000

let sentinel: RedisSentinel
beforeAll(async () => {
  sentinel = await startSentinel()
}, 60_000)
afterAll(() => sentinel.stop())

async function startNode(namespace: string): Promise<CacheManager> {
  const options = { sentinels: [...sentinel.sentinelAddresses], name: sentinel.name }
  const caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore({ options }),
    default: false,
    storeTimeout: '1s',
    defaults: { ttl: '1h', jitter: 0, maxStaleness: '1s' },
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

it('reads go on through a failover, and what is evicted meanwhile stays evicted', async () => {
  const namespace = freshNamespace()
  const [a, b] = await Promise.all([startNode(namespace), startNode(namespace)])
  const onA = a.cache<string>('c')
  const onB = b.cache<string>('c')
  let source = 'v1'
  const load = async (): Promise<string> => source
  expect(await onA.getOrLoad('k', load)).toBe('v1')
  await eventually('B has it', async () => (await onB.get('k')) === 'v1')

  const failover = sentinel.failover('crash')
  source = 'v2'
  await onA.evict('k')
  expect(await onA.getOrLoad('k', load)).toBe('v2')
  await failover

  await eventually(
    'B reads the new value',
    async () => (await onB.getOrLoad('k', load)) === 'v2',
    ROOM_MS,
  )
  expect(await onA.getOrLoad('k', load)).toBe('v2')
  await eventually(
    'the new master is used',
    async () => {
      await onA.set('after', 'failover')
      return (await onB.get('after')) === 'failover'
    },
    ROOM_MS,
  )
})
