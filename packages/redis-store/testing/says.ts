/** A script as users write them, over a Redis that is not there: what it says is looked at from outside. */

import { createCacheManager } from '@larder/core'
import { redisStore } from '../src/redis-store.ts'

const [url = '', ...steps] = process.argv.slice(2)
const caches = createCacheManager({
  namespace: 'script',
  remote: redisStore({ url }),
  ...(steps.includes('silent') ? { logger: false } : {}),
})

const names = (error: unknown): string => `${(error as Error).name}: ${(error as Error).message}`

for (const step of steps) {
  if (step === 'read') {
    for (let n = 0; n < 20; n++) await caches.cache('c').getOrLoad(`${n}`, async () => n)
    console.log('read')
  } else if (step === 'lock') {
    const work = caches.locks.run('job', { wait: '5s', onUnavailable: 'throw' }, async () => 'done')
    console.log('lock', await work.catch(names))
  } else if (step === 'limit') {
    const limiter = caches.limiter({ limit: 1, per: '1m', onStoreError: 'open' })
    console.log('limit', await limiter.consume('a').then(({ allowed }) => allowed, names))
  } else if (step === 'ready') {
    console.log('ready', await caches.ready({ timeout: '300ms' }).catch(names))
  } else if (step === 'status') console.log(JSON.stringify(caches.status()))
}
await caches.close()
