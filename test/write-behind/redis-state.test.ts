/** What a queue does about the state of its server: away, full, without an append-only file, dropping keys. */

import { createCacheManager } from '@larder/core'
import { createWriteBehind } from '@larder/plugins/write-behind'
import { redisWrites } from '@larder/redis-store'
import { expect, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { Database } from './support/stage.ts'

async function server(...args: readonly string[]): Promise<RedisServer> {
  const redis = await startRedis({ args })
  onTestFinished(() => redis.stop())
  return redis
}

function open(redis: RedisServer, options = {}) {
  const caches = createCacheManager({
    namespace: freshNamespace(),
    writes: redisWrites({ url: redis.url }),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  const database = new Database()
  const queue = createWriteBehind<unknown>(caches, {
    name: 'progress',
    write: database.write,
    every: '1h',
    backoff: '1ms',
    maxBackoff: '10ms',
    drain: 0,
    ...options,
  })
  return { caches, database, queue }
}

it('a write rejects while the store is away, and is taken when it is back', async () => {
  const redis = await server()
  const { queue, database } = open(redis)
  await queue.put('a', 1)
  await redis.kill()
  await expect(queue.put('b', 2)).rejects.toMatchObject({ code: 'LARDER_WRITES_UNAVAILABLE' })
  await expect(queue.pending()).rejects.toMatchObject({ code: 'LARDER_WRITES_UNAVAILABLE' })
  expect(database.rows.size).toBe(0)
})

it('a write goes to the writer while the store is away, where it is told so, without a fence', async () => {
  const redis = await server()
  const { queue, database } = open(redis, { onUnavailable: 'write-through', storeTimeout: '200ms' })
  await redis.kill()
  await queue.putMany([
    ['a', 1],
    ['a', 2],
  ])
  expect(database.get('a')).toBe(2)
  expect(database.batches).toEqual([['a']])
  expect(database.contexts).toMatchObject([{ fence: undefined }])
  const [first] = [...database.rows.values()]
  await queue.put('a', 3)
  expect(database.rows.get('a')?.version).toBeGreaterThan(first?.version ?? Number.NaN)
})

async function knowsWaitAof(redis: RedisServer): Promise<boolean> {
  const [known] = (await redis.command('COMMAND', 'INFO', 'waitaof')) as readonly unknown[]
  return known !== null && known !== undefined
}

it('a durable write is on the disk of the server', async ({ skip }) => {
  const redis = await server('--appendonly', 'yes', '--appendfsync', 'everysec')
  if (!(await knowsWaitAof(redis))) skip('the server has no WAITAOF (Redis 7.2 has)')
  const { queue, database } = open(redis, { durable: true, storeTimeout: '10s' })
  await queue.put('a', 1)
  await redis.kill()
  await redis.start()
  await expect.poll(() => queue.flush().then(() => database.get('a')), { timeout: 15_000 }).toBe(1)
})

it('a durable write says what the server lacks for it', async () => {
  const redis = await server()
  const { queue } = open(redis, { durable: true })
  const missing = (await knowsWaitAof(redis)) ? 'appendonly yes' : '7.2'
  await expect(queue.put('a', 1)).rejects.toMatchObject({
    code: 'LARDER_STORE_SETUP',
    message: expect.stringContaining(missing),
  })
  expect(await queue.pending()).toMatchObject({ keys: 1 })
})

it('a server that drops any key is refused, unless it is allowed', async () => {
  const redis = await server('--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru')
  const { queue } = open(redis)
  await expect(queue.put('a', 1)).rejects.toMatchObject({
    code: 'LARDER_STORE_SETUP',
    message: expect.stringContaining('allowEviction'),
  })
  const { queue: other } = open(redis, { allowEviction: true })
  await other.put('a', 1)
  expect(await other.pending()).toMatchObject({ keys: 1 })
})

it('a full server refuses more, and what waits is written', async () => {
  const redis = await server('--maxmemory-policy', 'noeviction')
  const { queue, database } = open(redis)
  await queue.putMany(Array.from({ length: 50 }, (_, i) => [`k${i}`, 'x'.repeat(1_000)] as const))
  await redis.command('CONFIG', 'SET', 'maxmemory', '1')
  await expect(queue.put('more', 1)).rejects.toMatchObject({ code: 'LARDER_WRITES_UNAVAILABLE' })
  await queue.flush()
  expect(database.rows.size).toBe(50)
})
