/** Hits of the day: counted once for each id, and added up in the process where there are many. With `REDIS_URL` in Redis. */

import { randomUUID } from 'node:crypto'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createCounter } from '@larder/plugins/boards'
import { redisStore } from '@larder/redis-store'

const url = process.env['REDIS_URL']
await using caches = createCacheManager({
  namespace: 'counter-example',
  local: lruStore(),
  ...(url === undefined ? {} : { remote: redisStore({ url }) }),
})
// A key of this run.
const page = `page:${randomUUID()}`

const hits = createCounter(caches, { name: 'hits', per: 'day', periods: 7 })
const id = randomUUID()
console.log(await hits.add(page, 1, { id }))
console.log(await hits.add(page, 1, { id }))

const views = createCounter(caches, { name: 'views', per: 'day', periods: 7, buffer: '1s' })
for (let n = 0; n < 1_000; n++) views.add(page)
console.log(`before they are sent: ${await views.count(page)}`)
await views.flush()
console.log(`after that: ${await views.count(page, { last: 7 })}`)
