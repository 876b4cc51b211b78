/** A process that uses a store, closes it and has nothing left to do: it must end by itself. */

import { redisStore } from '../src/redis-store.ts'

const store = redisStore({ url: process.argv[2] ?? '' })
store.open('shop')
store.bus?.subscribe('shop', {
  onMessage: () => undefined,
  onUp: () => undefined,
  onDoubt: () => undefined,
  onDown: () => undefined,
  onGarbage: () => undefined,
})
await store.read([{ partition: 1, key: 'c:k' }]).catch(() => undefined)
if (process.argv[3] === 'close') await store.close()
process.stdout.write('done\n')
