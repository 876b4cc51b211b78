/** `larder explain` says what a node does: each case is read by a node that has nothing in process, and compared. */

import { type CacheManagerOptions, createCacheManager } from '@larder/core'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { freshNamespace, startNode } from '../support/nodes.ts'
import { larder } from './support/larder.ts'

type Outcome = 'hit' | 'stale' | 'miss'

/** What a node without a local tier makes of a read. */
async function readBy(
  namespace: string,
  policy: CacheManagerOptions['defaults'] = {},
): Promise<Outcome> {
  const caches = createCacheManager({
    namespace,
    remote: redisStore({ url: inject('redisUrl') }),
    default: false,
    logger: false,
    storeTimeout: '2s',
    defaults: { ttl: '1h', jitter: 0, ...policy },
  })
  onTestFinished(() => caches.close())
  await caches.ready()
  const kinds: Outcome[] = []
  caches.on('hit', () => kinds.push('hit'))
  caches.on('stale', () => kinds.push('stale'))
  caches.on('miss', () => kinds.push('miss'))
  await caches.cache<string>('c').getOrLoad('k', async () => 'loaded')
  return kinds[0] ?? 'miss'
}

async function explained(namespace: string): Promise<Record<string, unknown>> {
  const { code, rows } = await larder(['explain', 'c:k', '--json'], namespace)
  expect(code).toBe(0)
  return rows[0] ?? {}
}

const CASES: readonly (readonly [
  name: string,
  reason: string,
  make: (node: ReturnType<typeof startNode>['caches']) => Promise<unknown>,
  policy?: CacheManagerOptions['defaults'],
])[] = [
  ['a value', 'fresh', (caches) => caches.cache('c').set('k', 'v')],
  ['nothing', 'absent', (caches) => caches.cache('c').set('other', 'v')],
  [
    'an evicted key',
    'changed',
    async (caches) => {
      await caches.cache('c').set('k', 'v')
      await caches.cache('c').evict('k')
    },
  ],
  [
    'a key evicted softly',
    'evicted-softly',
    async (caches) => {
      await caches.cache('c').set('k', 'v')
      await caches.cache('c').evict('k', { soft: true })
    },
    { staleIfError: '1h' },
  ],
  [
    'an evicted tag',
    'tag-evicted',
    async (caches) => {
      await caches.cache('c').set('k', 'v', { tags: ['*odd', 'shop:7'] })
      await caches.evictTags(['*odd'])
    },
  ],
  [
    'a tag evicted softly',
    'evicted-softly',
    async (caches) => {
      await caches.cache('c').set('k', 'v', { tags: ['shop:7'] })
      await caches.evictTags(['shop:7'], { soft: true })
    },
    { staleIfError: '1h' },
  ],
  [
    'a cache that was cleared',
    'cache-cleared',
    async (caches) => {
      await caches.cache('c').set('k', 'v')
      await caches.cache('c').clear()
    },
  ],
  [
    'a namespace that was cleared',
    'namespace-cleared',
    async (caches) => {
      await caches.cache('c').set('k', 'v')
      await caches.clear()
    },
  ],
  [
    'another tag evicted',
    'fresh',
    async (caches) => {
      await caches.cache('c').set('k', 'v', { tags: ['shop:7'] })
      await caches.evictTags(['shop:8'])
    },
  ],
  [
    'a value put after its tag was evicted',
    'fresh',
    async (caches) => {
      await caches.evictTags(['shop:7'])
      await caches.cache('c').set('k', 'v', { tags: ['shop:7'] })
    },
  ],
  [
    'the source had nothing',
    'fresh',
    (caches) => caches.cache('c').getOrLoad('k', async () => null),
    { negativeTtl: '1h' },
  ],
  [
    'an eviction with a settle window',
    'settling',
    async (caches) => {
      await caches.cache('c').set('k', 'v')
      await caches.cache('c').evict('k', { settle: '1m' })
    },
  ],
]

describe('what explain says is what a node does', () => {
  it.each(CASES.map(([name, reason, make, policy = {}]) => ({ name, reason, make, policy })))(
    '$name: $reason',
    async ({ reason, make, policy }) => {
      const namespace = freshNamespace()
      const { caches } = startNode({ namespace, policy })
      await make(caches)
      const said = await explained(namespace)
      expect(said['reason']).toBe(reason)
      expect(said['outcome']).toBe(await readBy(namespace, policy))
    },
  )

  it('a value past its time to live is stale, and past that a fallback', async () => {
    const namespace = freshNamespace()
    const policy = { ttl: '1h', staleWhileRevalidate: '1h', staleIfError: '1h' } as const
    const { caches } = startNode({ namespace, policy })
    await caches.cache('c').set('k', 'v')
    await makeOlder(namespace, 5_400_000)
    expect(await explained(namespace)).toMatchObject({ outcome: 'stale', reason: 'revalidating' })
    expect(await readBy(namespace, policy)).toBe('stale')
    const again = freshNamespace()
    const second = startNode({ namespace: again, policy })
    await second.caches.cache('c').set('k', 'v')
    await makeOlder(again, 9_000_000)
    expect(await explained(again)).toMatchObject({ outcome: 'miss', reason: 'fallback' })
    expect(await readBy(again, policy)).toBe('miss')
  })

  it('a key that is being loaded is waited for', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    const { promise, resolve } = deferred<string>()
    const load = caches.cache<string>('c').getOrLoad('k', () => promise)
    await eventually('the lease stands', async () => {
      const { reason } = await explained(namespace)
      return reason === 'being-loaded'
    })
    resolve('v')
    await load
    await eventually('it is filled', async () => (await explained(namespace))['outcome'] === 'hit')
  })

  it('what was stored before a tag clock was lost is a miss, as a node has it', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', 'v')
    await caches.close()
    const redis = new Redis(inject('redisUrl'))
    onTestFinished(() => redis.disconnect())
    await redis.del(`{${namespace}:tags}`)
    expect(await explained(namespace)).toMatchObject({ outcome: 'miss', reason: 'history-lost' })
    expect(await readBy(namespace)).toBe('miss')
  })

  it('what was born above a tag clock that went back is said as a node has it', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.evictTags(['x'])
    await caches.cache('c').set('k', 'v')
    await caches.close()
    const redis = new Redis(inject('redisUrl'))
    onTestFinished(() => redis.disconnect())
    const tags = `{${namespace}:tags}`
    const version = -Number(await redis.zscore(tags, '!version'))
    await redis.zadd(tags, 1_000_000 - version, '!version', 1_000_000 - version, '!floor')
    const { outcome } = await explained(namespace)
    expect(outcome).toBe(await readBy(namespace))
  })

  it('tells when it was evicted, by the numbers of the log', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    const before = Date.now()
    await caches.cache('c').evict('k')
    const { changes, at } = await explained(namespace)
    expect((changes as string[]).at(-1)).toBe(at)
    // Server and test run on one machine.
    expect(Math.abs(Date.parse(at as string) - before)).toBeLessThan(60_000)
  })
})

/** Moves the time of creation back, as if it had passed. */
async function makeOlder(namespace: string, ms: number): Promise<void> {
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  const [place = ''] = await redis.keys(`{${namespace}:*}:c:k`)
  const bytes = (await redis.getBuffer(place)) ?? Buffer.alloc(60)
  bytes.writeUIntBE(bytes.readUIntBE(18, 6) - ms, 18, 6)
  await redis.set(place, bytes, 'KEEPTTL')
}
