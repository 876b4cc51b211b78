/** A cart, blocked addresses and what was viewed last. With `REDIS_URL` they are kept in Redis; without it, in this process. */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createList, createMap, createSet } from '@larder/plugins/structures'
import { redisStore } from '@larder/redis-store'

const url = process.env['REDIS_URL']
await using caches = createCacheManager({
  namespace: 'structures-example',
  local: lruStore(),
  ...(url === undefined ? {} : { remote: redisStore({ url }) }),
})

interface Line {
  readonly quantity: number
}
const carts = createMap<Record<string, Line>>(caches, { name: 'carts', ttl: '7d', most: 2 })
const blocked = createSet<string>(caches, { name: 'blocked', ttl: '30d', localCopy: '1m' })
const viewed = createList<string>(caches, { name: 'viewed', ttl: '30d', most: 3 })

// What an earlier run left.
await Promise.all([carts.clear('ada'), blocked.clear('addresses'), viewed.clear('ada')])

// Two requests at once: none of their changes is lost.
const addOne = (line: Line = { quantity: 0 }): Line => ({ quantity: line.quantity + 1 })
await Promise.all([
  carts.update('ada', 'lamp', addOne),
  carts.update('ada', 'lamp', addOne),
  carts.update('ada', 'chair', addOne),
])
console.log(`lamps: ${(await carts.get('ada', 'lamp'))?.quantity}`)
const refused = await carts
  .set('ada', { table: { quantity: 1 } })
  .catch((error: Error) => error.name)
console.log(`a third product: ${refused}`)

await blocked.add('addresses', '203.0.113.9')
const asked = ['203.0.113.9', '198.51.100.4']
console.log(`blocked: ${await blocked.hasMany('addresses', asked)}`)
await blocked.remove('addresses', '203.0.113.9')
console.log(`and then: ${await blocked.hasMany('addresses', asked)}`)

for (const product of ['lamp', 'chair', 'table', 'lamp', 'bed'])
  await viewed.push('ada', product, { id: product })
console.log(`viewed: ${(await viewed.items('ada')).map(({ value }) => value).join(', ')}`)
