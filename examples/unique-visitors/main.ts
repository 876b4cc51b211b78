/** Visitors of a page: exactly while they are few, estimated once they are many. With `REDIS_URL` in Redis. */

import { randomUUID } from 'node:crypto'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createUniques } from '@larder/plugins/boards'
import { redisStore } from '@larder/redis-store'

const url = process.env['REDIS_URL']
await using caches = createCacheManager({
  namespace: 'visitors-example',
  local: lruStore(),
  ...(url === undefined ? {} : { remote: redisStore({ url }) }),
})
const visitors = createUniques(caches, {
  name: 'visitors',
  per: 'day',
  periods: 7,
  salt: 'not a secret: an example',
})
// A page of this run.
const page = `page:${randomUUID()}`

for (const visitor of ['ada', 'bob', 'ada']) await visitors.seen(page, visitor)
console.log(await visitors.count(page))

for (let from = 0; from < 10_000; from += 1_000) {
  await visitors.seen(
    page,
    Array.from({ length: 1_000 }, (_, i) => from + i),
  )
}
const { count, exact } = await visitors.count(page, { last: 7 })
const isNear = Math.abs(count - 10_002) < 400
console.log(`${exact ? 'exactly' : 'about'} 10002: ${isNear}`)
