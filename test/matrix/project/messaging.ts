/** A stream, a topic and an event store, in the process and in Redis. */

import { deepStrictEqual as deepEqual } from 'node:assert'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createEventStore, createStream, createTopic } from '@larder/plugins/messaging'
import { redisEventStore, redisStore, redisStreams, redisTopics } from '@larder/redis-store'

interface Price {
  readonly symbol: string
  readonly at: Date
}

const PRICE: Price = { symbol: 'ACME', at: new Date(5) }

async function check(caches: CacheManager): Promise<void> {
  const stream = createStream<Price>(caches, { name: 'prices' })
  const handled = new Promise<Price>((resolve) => {
    stream.handle({ group: 'all' }, async (price) => resolve(price))
  })
  await stream.add(PRICE)
  deepEqual(await handled, PRICE)

  const topic = createTopic<Price>(caches, { name: 'prices' })
  let tell: (price: Price) => void = () => undefined
  const heard = new Promise<Price>((resolve) => {
    tell = resolve
  })
  const subscription = topic.subscribe((price) => tell(price))
  await subscription.ready
  await topic.publish(PRICE)
  deepEqual(await heard, PRICE)

  const events = createEventStore<Price>(caches, { name: 'prices' })
  await events.append('acme', [PRICE], { expected: 'none', id: 'request-1' })
  await events.append('acme', [PRICE], { expected: 'none', id: 'request-1' })
  const counting = { initial: () => 0, apply: (sum: number) => sum + 1 }
  deepEqual(await events.fold('acme', counting), { state: 1, version: 1 })
  await caches.close()
}

async function main(): Promise<void> {
  const common = { default: false, logger: false } as const
  const url = process.env['REDIS_URL'] ?? ''
  const namespace = `messaging-${process.pid}`
  await check(createCacheManager({ namespace, local: lruStore(), ...common }))
  await check(createCacheManager({ namespace, remote: redisStore({ url }), ...common }))
  const own = {
    streams: redisStreams({ url }),
    topics: redisTopics({ url }),
    eventStore: redisEventStore({ url }),
  }
  await check(createCacheManager({ namespace: `own-${namespace}`, ...own, ...common }))
}

main().then(
  () => console.log('told and handled'),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
