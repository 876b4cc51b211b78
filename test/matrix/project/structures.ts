/** A map, a set and a list, in the process and in Redis. */

import { deepStrictEqual as deepEqual, strictEqual as equal, rejects } from 'node:assert'
import { type CacheManager, createCacheManager, StructureFullError } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createList, createMap, createSet, type SharedMap } from '@larder/plugins/structures'
import { redisStore, redisStructures } from '@larder/redis-store'

interface Settings {
  readonly theme: 'dark' | 'light'
  readonly visits: number
}

async function check(caches: CacheManager): Promise<void> {
  const map: SharedMap<Settings> = createMap<Settings>(caches, { name: 'settings', ttl: '1h' })
  await map.set('ada', { theme: 'dark' })
  await Promise.all([1, 2].map(() => map.update('ada', 'visits', (visits = 0) => visits + 1)))
  deepEqual(await map.getAll('ada'), { theme: 'dark', visits: 2 })
  const set = createSet<Date>(caches, { name: 'days', ttl: '1h', most: 1, localCopy: '1m' })
  equal(await set.add('k', new Date(5)), true)
  equal(await set.has('k', new Date(5)), true)
  await rejects(set.add('k', new Date(6)), (error) => error instanceof StructureFullError)
  const list = createList<string>(caches, { name: 'viewed', ttl: '1h', most: 2 })
  for (const id of ['a', 'b', 'a', 'c']) await list.push('k', id, { id })
  deepEqual(await list.items('k', { take: 1 }), [{ id: 'c', value: 'c' }])
  equal(await list.count('k'), 2)
  await caches.close()
}

async function main(): Promise<void> {
  const common = { local: lruStore(), default: false, logger: false } as const
  await check(createCacheManager({ namespace: 'structures', ...common }))
  const url = process.env['REDIS_URL'] ?? ''
  const namespace = `structures-${process.pid}`
  const remote = redisStore({ url })
  await check(createCacheManager({ ...common, namespace, local: lruStore(), remote }))
  const own = { remote: redisStore({ url }), structures: redisStructures({ url }) }
  await check(
    createCacheManager({ ...common, namespace: `own-${namespace}`, local: lruStore(), ...own }),
  )
}

main().then(
  () => console.log('shared and bounded'),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
