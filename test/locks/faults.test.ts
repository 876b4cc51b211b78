/** Locks on a Redis in trouble: L3, L5, L7, L8, L15, L16. */

import {
  type CacheManager,
  createCacheManager,
  LockLostError,
  LockUnavailableError,
} from '@larder/core'
import type { Clock } from '@larder/core/store'
import { redisLocks } from '@larder/redis-store'
import { expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startProxy, type TcpProxy } from '../support/proxy/tcp-proxy.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { slowClock } from '../support/slow-clock.ts'

/** A noisy machine may take this much longer than what is promised. */
const ROOM_MS = 2_500
const DEADLINE_MS = 1_000

interface Stage {
  readonly redis: RedisServer
  readonly proxy: TcpProxy
  readonly caches: CacheManager
  readonly namespace: string
}

async function setUp(clock?: Clock): Promise<Stage> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const proxy = await startProxy(redis)
  onTestFinished(() => proxy[Symbol.asyncDispose]())
  const namespace = freshNamespace()
  const caches = createCacheManager({
    namespace,
    locks: redisLocks({ url: proxy.url }),
    default: false,
    clock,
  })
  onTestFinished(() => caches.close())
  // Connecting has its own time.
  await (await caches.locks.acquire('warm-up')).release()
  return { redis, proxy, caches, namespace }
}

async function took(work: Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work.catch(() => undefined)
  return performance.now() - begun
}

it('a server that hangs: taking fails in time, and a holder lets go by its own clock (L5, L16)', async () => {
  const { redis, caches } = await setUp()
  const held = await caches.locks.acquire('held', { lease: '1s' })
  const lost = new Promise((resolve) => held.signal.addEventListener('abort', resolve))
  await redis.pause()
  const asked = caches.locks.acquire('other', { wait: '1m' })
  const ms = await took(asked)
  await expect(asked).rejects.toThrow(LockUnavailableError)
  expect(ms).toBeLessThan(2 * DEADLINE_MS + ROOM_MS)
  await lost
  expect(held.signal.reason).toBeInstanceOf(LockLostError)
  await redis.resume()
  expect(await held.release()).toBe(false)
  await eventually('locks are taken again', async () => {
    const lock = await caches.locks.acquire('other', { wait: '5s' }).catch(() => undefined)
    return (await lock?.release()) === true
  })
}, 60_000)

it('CLIENT PAUSE within the term costs nothing but time', async () => {
  const { redis, caches } = await setUp()
  const held = await caches.locks.acquire('held', { lease: '5s' })
  await redis.command('CLIENT', 'PAUSE', '500', 'ALL')
  const lock = await caches.locks.acquire('other', { wait: '20s' })
  expect(await lock.release()).toBe(true)
  expect(await held.release()).toBe(true)
}, 60_000)

it('connections that break: the wait goes on, and the place in the queue is kept', async () => {
  const { proxy, caches, redis, namespace } = await setUp()
  const direct = createCacheManager({
    namespace,
    locks: redisLocks({ url: redis.url }),
    default: false,
  })
  onTestFinished(() => direct.close())
  const held = await direct.locks.acquire('k', { lease: '1m' })
  const first = caches.locks.acquire('k', { wait: '1m' })
  await eventually('it waits', async () => (await direct.locks.inspect('k')).waiting === 1)
  const second = direct.locks.acquire('k', { wait: '1m', fair: 'global' })
  await eventually('both wait', async () => (await direct.locks.inspect('k')).waiting === 2)
  proxy.cut()
  await held.release()
  const winner = await first
  expect(winner.remainingMs()).toBeGreaterThan(0)
  await winner.release()
  await (await second).release()
}, 60_000)

it('a reply that gets lost after the grant: asking again finds the lock already held by oneself (L8)', async () => {
  const { proxy, caches } = await setUp(slowClock(10))
  proxy.dropReplies({
    match: ({ name }) => name.startsWith('EVAL'),
    times: 1,
    // biome-ignore lint/suspicious/noThenProperty: what becomes of the connection
    then: 'reset',
  })
  const lock = await caches.locks.acquire('k', { wait: '20s' })
  expect((await caches.locks.inspect('k')).holders.length).toBe(1)
  expect(await lock.release()).toBe(true)
}, 60_000)

it('lost wake-ups cost a heartbeat each (L7)', async () => {
  const { proxy, caches, redis, namespace } = await setUp()
  const direct = createCacheManager({
    namespace,
    locks: redisLocks({ url: redis.url }),
    default: false,
  })
  onTestFinished(() => direct.close())
  proxy.dropMessages(() => true)
  const held = await direct.locks.acquire('k', { lease: '1m' })
  const waiting = caches.locks.acquire('k', { wait: '1m' })
  await eventually('it waits', async () => (await direct.locks.inspect('k')).waiting === 1)
  await held.release()
  expect(await took(waiting)).toBeLessThan(1_000 + ROOM_MS)
}, 60_000)

it('FLUSHALL: a holder learns of it, and later fences are higher all the same (L3)', async () => {
  const { redis, caches } = await setUp()
  const held = await caches.locks.acquire('k', { lease: '1s' })
  const lost = new Promise((resolve) => held.signal.addEventListener('abort', resolve))
  await redis.command('FLUSHALL')
  const next = await caches.locks.acquire('k', { wait: 0 })
  expect(next.fence).toBeGreaterThan(held.fence)
  await lost
  expect(await held.release()).toBe(false)
  expect(next.remainingMs()).toBeGreaterThan(0)
}, 60_000)

it('SCRIPT FLUSH is not noticed', async () => {
  const { redis, caches } = await setUp()
  await redis.command('SCRIPT', 'FLUSH')
  const lock = await caches.locks.acquire('k')
  await redis.command('SCRIPT', 'FLUSH')
  expect(await lock.release()).toBe(true)
}, 60_000)

it('a server that refuses connections: the answer is that nobody can say, and soon (L16)', async () => {
  const { redis, caches } = await setUp()
  await redis.stop()
  const asked = caches.locks.acquire('k', { wait: '1m' })
  const ms = await took(asked)
  await expect(asked).rejects.toThrow(LockUnavailableError)
  expect(ms).toBeLessThan(2 * DEADLINE_MS + ROOM_MS)
  // Known to be away, it costs no deadline any more.
  const again = caches.locks.acquire('k', { wait: 0 })
  await expect(again).rejects.toThrow(LockUnavailableError)
}, 60_000)

it.each([
  ['OOM', 'OOM command not allowed when used memory > maxmemory.'],
  ['LOADING', 'LOADING Redis is loading the dataset in memory'],
  ['READONLY', "READONLY You can't write against a read only replica."],
  ['NOPERM', 'NOPERM this user has no permissions to run the command'],
])(
  '%s is trouble of the store, not a held lock',
  async (_name, error) => {
    const { proxy, caches } = await setUp()
    proxy.failCommands({ match: ({ name }) => name.startsWith('EVAL'), error })
    await expect(caches.locks.acquire('k', { wait: '1m' })).rejects.toThrow(LockUnavailableError)
    await proxy.heal()
    await eventually('it works again', async () => {
      const lock = await caches.locks.acquire('k', { wait: '5s' }).catch(() => undefined)
      return (await lock?.release()) === true
    })
  },
  60_000,
)
