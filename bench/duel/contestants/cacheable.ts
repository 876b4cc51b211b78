import KeyvRedis from '@keyv/redis'
import { RedisMessageProvider } from '@qified/redis'
import { Cacheable } from 'cacheable'
import type { Contestant } from '../contestant.ts'

export const cacheable: Contestant = {
  name: 'cacheable',
  setup:
    'its README, "Storage Tiering" and "CacheableSync": memory, @keyv/redis, and sync over Redis',
  async start({ url, load }) {
    const provider = new RedisMessageProvider({ uri: url } as never)
    const cache = new Cacheable({
      secondary: new KeyvRedis(url) as never,
      ttl: '1h',
      sync: { qified: provider } as never,
    })
    cache.on('error', () => undefined)
    return {
      read: async (key) => (await cache.getOrSet(key, () => load(key))) as number,
      evict: async (key) => void (await cache.delete(key)),
      close: async () => {
        await Promise.race([cache.disconnect(), new Promise((end) => setTimeout(end, 500))])
      },
    }
  },
}
