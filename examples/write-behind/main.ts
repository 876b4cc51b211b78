/** Writes that wait, and a read beside them. With `REDIS_URL` the queue is kept in Redis; without it, in this process. */

import { createCacheManager, RejectedWriteError } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createWriteBehind, type WrittenWrite } from '@larder/plugins/write-behind'
import { redisStore } from '@larder/redis-store'

const url = process.env['REDIS_URL']
await using caches = createCacheManager({
  namespace: 'write-behind-example',
  local: lruStore(),
  ...(url === undefined ? {} : { remote: redisStore({ url }) }),
})

/** Stands for a database. */
const table = new Map<string, number>()
async function saveAll(writes: readonly WrittenWrite<number>[]): Promise<void> {
  if (writes.some(({ value }) => value === undefined || value < 0)) {
    if (writes.length === 1) throw new RejectedWriteError('a page is not below zero')
    throw new Error('one of them is wrong')
  }
  for (const { key, value } of writes) table.set(key, value ?? 0)
  console.log(`written: ${writes.map(({ key, value }) => `${key}=${value}`).join(' ')}`)
}

const pages = createWriteBehind<number>(caches, {
  name: 'pages',
  every: '1h',
  cache: 'pages',
  write: saveAll,
})
const cache = caches.cache<number | undefined>('pages', { behind: 'pages' })

// Three writes of one key are one.
for (const page of [1, 2, 3]) await pages.put('ada', page)
await pages.put('bob', 7)
console.log(`in the database: ${table.size}`)
await caches.clear()
console.log(`read: ${await cache.getOrLoad('ada', async () => table.get('ada'))}`)
await pages.flush()

await pages.put('cy', -1)
await pages.flush()
for (const { id, key, error } of await pages.deadLetters()) {
  console.log(`dead: ${key}, ${error}`)
  await pages.discard(id)
}
