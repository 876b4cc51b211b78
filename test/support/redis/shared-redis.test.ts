import { Redis } from 'ioredis'
import { expect, inject, it } from 'vitest'
import { sharedRedisUrl } from './shared-redis.ts'

it('the shared Redis of the run reaches tests by both ways and answers', async () => {
  expect(sharedRedisUrl()).toBe(inject('redisUrl'))
  const client = new Redis(sharedRedisUrl())
  expect(await client.ping()).toBe('PONG')
  client.disconnect()
})

it('a missing set-up is an error that names it', () => {
  expect(() => sharedRedisUrl({})).toThrow('global-setup.ts')
})
