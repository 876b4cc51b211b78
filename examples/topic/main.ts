/** Prices that are published to those that listen: by name, by a pattern, and one that the schema refuses. With `REDIS_URL` over Redis. */

import { createCacheManager, MessageInvalidError } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createTopic, createTopicPattern, type MessageSchema } from '@larder/plugins/messaging'
import { redisStore } from '@larder/redis-store'

interface Price {
  readonly symbol: string
  readonly cents: number
}

/** What a schema library would make: anything with `~standard`. */
const PRICE: MessageSchema<Price> = {
  '~standard': {
    version: 1,
    vendor: 'example',
    validate(value) {
      const { symbol, cents } = (value ?? {}) as Partial<Price>
      if (typeof symbol === 'string' && Number.isInteger(cents)) return { value: value as Price }
      return { issues: [{ message: 'not a price', path: ['cents'] }] }
    },
  },
}

const url = process.env['REDIS_URL']
await using caches = createCacheManager({
  namespace: 'topic-example',
  local: lruStore(),
  ...(url === undefined ? {} : { remote: redisStore({ url }) }),
})
const eu = createTopic(caches, { name: 'prices.eu', schema: PRICE })
const us = createTopic(caches, { name: 'prices.us', schema: PRICE })

let heard = 0
let tellAll: () => void = () => undefined
const all = new Promise<void>((resolve) => {
  tellAll = resolve
})
await using byPattern = createTopicPattern(caches, {
  pattern: 'prices.*',
  schema: PRICE,
}).subscribe(({ symbol, cents }, { topic, missed }) => {
  console.log(`${topic}: ${symbol} ${cents}, missed ${missed}`)
  heard += 1
  if (heard === 3) tellAll()
})
await byPattern.ready

await eu.publish({ symbol: 'ACME', cents: 1_299 })
await us.publish({ symbol: 'ACME', cents: 1_405 })
await eu.publish({ symbol: 'ACME', cents: 1_300 })
await all

const wrong = { symbol: 'ACME', cents: 'much' } as unknown as Price
await eu.publish(wrong).catch((error: unknown) => {
  if (error instanceof MessageInvalidError) console.log(error.message)
})
console.log(`handled ${byPattern.stats().handled}`)
