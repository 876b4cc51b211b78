/** The look into Redis, by itself: with either ioredis, from whatever leads to a Redis, and without a trace. */

import { inspect } from 'node:util'
import { createCacheManager, InvalidOptionError } from '@larder/core'
import { fromKeyv } from '@larder/keyv-store'
import { type RedisStoreOptions, redisLimits, redisLocks, redisStore } from '@larder/redis-store'
import {
  type EntryRow,
  explainEntry,
  inspectRedis,
  type LockRow,
  type Looked,
} from '@larder/redis-store/inspect'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import Keyv from 'keyv'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { freshNamespace, startNode } from '../support/nodes.ts'

type IoredisClient = NonNullable<RedisStoreOptions['client']>

async function allOf<Item>(scan: AsyncIterable<Looked<Item>>): Promise<readonly Item[]> {
  const items: Item[] = []
  for await (const step of scan) items.push(...step.items)
  return items
}

describe.each<[string, () => IoredisClient & { disconnect(): void }]>([
  ['ioredis 6', () => new Redis(inject('redisUrl'), { lazyConnect: true })],
  ['ioredis 5', () => new Redis5(inject('redisUrl'), { lazyConnect: true })],
])('with %s', (_, connect) => {
  it('reads entries, tags, logs, locks and limits', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', 'v', { tags: ['t'] })
    await caches.cache('c').evict('gone')
    await caches.evictTags(['t'])
    const client = connect()
    onTestFinished(() => client.disconnect())
    const inspection = await inspectRedis({ client })
    onTestFinished(() => inspection.close())
    const rows: readonly EntryRow[] = await allOf(
      inspection.entries(namespace, 'c:', { wantsHeaders: true }),
    )
    expect(rows).toEqual([expect.objectContaining({ key: 'c:k', cache: 'c' })])
    expect(explainEntry(await inspection.entry(namespace, 'c:k'))).toMatchObject({
      reason: 'tag-evicted',
      tag: 't',
    })
    expect(explainEntry(await inspection.entry(namespace, 'c:gone'))).toMatchObject({
      reason: 'changed',
    })
    expect(await inspection.namespace(namespace)).toMatchObject({
      isKnown: true,
      tags: { count: 1 },
      changes: { lastMinute: 2 },
    })
    await caches.limiter({ name: 'api', limit: 5, per: '1h' }).consume('a')
    await caches.locks.run('l', { lease: '1m' }, async () => {
      const locks: readonly LockRow[] = await allOf(inspection.locks(namespace))
      expect(locks).toEqual([expect.objectContaining({ name: 'l', mode: 'write' })])
    })
    expect(await allOf(inspection.limits(namespace))).toEqual([
      expect.objectContaining({ limiter: 'api', used: 1 }),
    ])
    expect((await inspection.fleet(namespace)).listening).toBe(1)
  })
})

describe('what leads to a Redis', () => {
  it('may be a store, locks or limits on it, which stay as they are', async () => {
    const url = inject('redisUrl')
    const sources = [redisStore({ url }), redisLocks({ url }), redisLimits({ url })]
    onTestFinished(async () => void (await Promise.all(sources.map((source) => source.close()))))
    for (const source of sources) {
      const inspection = await inspectRedis(source)
      expect(await inspection.servers()[0]?.text('PING')).toBe('PONG')
      await inspection.close()
    }
  })

  it.each<[string, object]>([
    ['a manager', createCacheManager({ namespace: 'shop', default: false })],
    ['a store on something else', fromKeyv(new Keyv())],
    ['nothing', {}],
    ['a misspelt option', { urls: 'redis://h' }],
  ])('is not %s', async (_, source) => {
    await expect(inspectRedis(source)).rejects.toThrow(InvalidOptionError)
  })

  it('does not show its password where somebody prints it', async () => {
    const url = inject('redisUrl').replace('//', '//:correct-horse@')
    const sources = [redisStore({ url }), redisLocks({ url }), redisLimits({ url })]
    onTestFinished(async () => void (await Promise.all(sources.map((source) => source.close()))))
    const inspection = await inspectRedis({ url: inject('redisUrl') })
    onTestFinished(() => inspection.close())
    for (const each of [...sources, inspection, inspection.servers()[0]]) {
      const printed = inspect(each, { depth: 10, showHidden: true })
      expect(printed).not.toMatch(/correct-horse|redis:\/\//)
    }
  })
})
