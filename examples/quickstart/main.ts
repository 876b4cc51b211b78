/** The smallest program that is still useful: a service whose slow method is cached, and an eviction that holds. */

import { setTimeout as delay } from 'node:timers/promises'
import { Cacheable, CacheConfig, CacheEvict, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'

const url = process.env['REDIS_URL']
await using caches = createCacheManager({
  namespace: 'quickstart',
  local: lruStore({ maxEntries: 1_000 }),
  ...(url === undefined ? {} : { remote: redisStore({ url }) }),
  defaults: { ttl: '5m', negativeTtl: '20s' },
})

@CacheConfig({ cache: 'greetings' })
class Greetings {
  #word = 'Hello'

  @Cacheable({ key: (name: string) => name })
  async greet(name: string): Promise<string> {
    await delay(200)
    return `${this.#word}, ${name}!`
  }

  @CacheEvict({ all: true })
  async change(word: string): Promise<void> {
    this.#word = word
  }
}

const greetings = new Greetings()
console.log(await greetings.greet('Ada'), await greetings.greet('Ada'))
await greetings.change('Welcome')
console.log(await greetings.greet('Ada'))
const { loads, localHits } = caches.stats()
console.log(`${loads} loads, ${localHits} hits`)
