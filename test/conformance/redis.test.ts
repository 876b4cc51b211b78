/** The Redis store does what every remote store must: standalone, with both supported clients. */

import { NAMESPACE, remoteStoreCases, runCases, type StorePair } from '@larder/core/testing'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const ALL = { leases: true, sequences: true, tags: true, publishes: true, scans: true }

const clients = {
  'by url': () => ({ options: { url: server.url }, end: () => undefined }),
  'ioredis 6, handed in': () => {
    const client = new Redis(server.url)
    return { options: { client }, end: () => client.disconnect() }
  },
  'ioredis 5, handed in': () => {
    const client = new Redis5(server.url)
    return { options: { client }, end: () => client.disconnect() }
  },
}

describe.each(Object.entries(clients))('redisStore %s', (_, connect) => {
  const make = async (): Promise<StorePair> => {
    await server.command('flushall')
    const first = connect()
    const second = connect()
    const [a, b] = [redisStore(first.options), redisStore(second.options)]
    a.open(NAMESPACE)
    b.open(NAMESPACE)
    const close = async (): Promise<void> => {
      await Promise.all([a.bus?.close(), b.bus?.close(), a.close(), b.close()])
      first.end()
      second.end()
    }
    return { a, b, close }
  }
  runCases(remoteStoreCases(make, ALL), test)
})
