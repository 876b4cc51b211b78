/** What the scripts do where the server's clock is set back, where a key holds something else, and what they leave behind. */

import {
  createCacheManager,
  type LockMode,
  LockUnavailableError,
  StoreKeyError,
} from '@larder/core'
import type { AcquireRequest } from '@larder/core/store'
import { redisLocks } from '@larder/redis-store'
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { RedisLocks } from '../../packages/redis-store/src/locks/redis-locks.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'

const HOUR_US = 3_600_000_000
const START_US = 1_700_000_000_000_000
const HEARTBEAT_MS = 1_000

let redis: RedisServer
let nowUs = START_US
let namespace = ''
let locks: RedisLocks

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(() => {
  const options = resolveRedisStoreOptions({ url: redis.url })
  const backend = new Backend(options)
  nowUs = START_US
  namespace = freshNamespace()
  locks = new RedisLocks({ backend, options, ownsBackend: true, nowUs: () => nowUs })
  locks.open(namespace)
  onTestFinished(() => locks.close())
})

function request(owner: string, changes: Partial<AcquireRequest> = {}): AcquireRequest {
  const usual = { name: 'k', mode: 'write' as LockMode, permits: 1, termMs: 10_000 }
  return { ...usual, owner, heartbeatMs: 0, replicas: undefined, ...changes }
}

async function fenceOf(wanted: AcquireRequest): Promise<number> {
  const reply = await locks.acquire(wanted)
  if (reply.kind !== 'granted') throw new Error('It is held')
  return reply.fence
}

it('fences rise where the clock is set back, and twice in one microsecond', async () => {
  const fences: number[] = []
  for (const step of [0, 0, -HOUR_US, 0, 1, 2 * HOUR_US]) {
    nowUs += step
    const wanted = request(`o${fences.length}`)
    fences.push(await fenceOf(wanted))
    await locks.release(wanted)
  }
  for (let n = 1; n < fences.length; n++) expect(fences[n]).toBeGreaterThan(fences[n - 1] ?? 0)
  expect(fences.slice(0, 3)).toEqual([START_US, START_US + 1, START_US + 2])
})

it('a waiter that died before the clock was set back costs two heartbeats from then on', async () => {
  const holder = request('holder')
  await locks.acquire(holder)
  await locks.acquire(request('dead', { heartbeatMs: HEARTBEAT_MS }))
  nowUs -= HOUR_US
  await locks.release(holder)
  const living = request('living', { heartbeatMs: HEARTBEAT_MS })
  expect(await locks.acquire(living)).toMatchObject({ kind: 'held', position: 1 })
  for (let beat = 0; beat < 2; beat++) {
    nowUs += HEARTBEAT_MS * 1_000
    await locks.acquire(living)
  }
  expect((await locks.acquire(living)).kind).toBe('granted')
})

it('waiters that died cost two heartbeats together, however many they are', async () => {
  const holder = request('holder')
  await locks.acquire(holder)
  const dead = ['one', 'two', 'three'].map((owner) => request(owner, { heartbeatMs: HEARTBEAT_MS }))
  for (const each of dead) await locks.acquire(each)
  await locks.release(holder)
  const living = request('living', { heartbeatMs: HEARTBEAT_MS })
  const reply = await locks.acquire(living)
  // It asks again when the first of them is found dead, at the latest.
  expect(reply).toMatchObject({ kind: 'held', position: 3, retryInMs: HEARTBEAT_MS })
  nowUs += 2 * HEARTBEAT_MS * 1_000 - 1
  expect((await locks.acquire(living)).kind).toBe('held')
  nowUs += 1
  expect((await locks.acquire(living)).kind).toBe('granted')
})

it('a waiter that lives keeps its place when the clock is set back', async () => {
  const holder = request('holder')
  const [first, second] = ['first', 'second'].map((owner) =>
    request(owner, { heartbeatMs: HEARTBEAT_MS }),
  ) as [AcquireRequest, AcquireRequest]
  for (const each of [holder, first, second]) await locks.acquire(each)
  nowUs -= HOUR_US
  await locks.release(holder)
  expect((await locks.acquire(second)).kind).toBe('held')
  expect((await locks.acquire(first)).kind).toBe('granted')
})

it('a renewal that comes late does not shorten a term that was made longer', async () => {
  const holder = request('holder')
  await locks.acquire(holder)
  expect(await locks.renew(holder, 60_000)).toBe(true)
  expect(await locks.renew(holder, 10_000)).toBe(true)
  await locks.acquire(holder)
  expect((await locks.inspect('k')).holders[0]?.remainingMs).toBe(60_000)
})

it('a lock that was used once is forgotten an hour after what it protects', async () => {
  nowUs = Date.now() * 1_000
  const key = `{${namespace}:lock:k}`
  const ttl = async (): Promise<number> => Number(await redis.command('PTTL', key))
  const holder = request('holder')
  await locks.acquire(holder)
  await locks.release(holder)
  expect(await ttl()).toBeGreaterThan(3_600_000 - 60_000)
  expect(await ttl()).toBeLessThanOrEqual(3_610_001)
  // Not before the end of a term of others, nor before the clock has passed the last fence.
  const reader = request('reader', { mode: 'read', termMs: 86_400_000 })
  await locks.acquire(reader)
  await locks.acquire(request('brief', { mode: 'read', termMs: 100 }))
  expect(await ttl()).toBeGreaterThan(86_400_000)
  await locks.release(reader)
  const quorate = request('quorate', { name: 'q' })
  await locks.acquire(quorate)
  await locks.raise(quorate, nowUs + 10 * HOUR_US)
  expect(Number(await redis.command('PTTL', `{${namespace}:lock:q}`))).toBeGreaterThan(36_000_000)
})

it('renewals keep a lock remembered for as long as it is held', async () => {
  nowUs = Date.now() * 1_000
  const holder = request('holder', { termMs: 100 })
  await locks.acquire(holder)
  expect(await locks.renew(holder, 86_400_000)).toBe(true)
  expect(Number(await redis.command('PTTL', `{${namespace}:lock:k}`))).toBeGreaterThan(86_400_000)
})

it.each([
  ['the lock', ''],
  ['its queue', ':queue'],
  ['its waiters', ':waiters'],
])(
  'something else under the key of %s fails that lock alone, and it is said which kind of failure',
  async (_what, suffix) => {
    const spoiltKey = `{${namespace}:lock:spoilt}${suffix}`
    if (suffix !== '') await locks.acquire(request('holder', { name: 'spoilt' }))
    await redis.command('SET', spoiltKey, 'a text')
    const requests = Array.from({ length: 12 }, (_, n) =>
      request(`o${n}`, { name: n === 5 ? 'spoilt' : `fine${n}`, heartbeatMs: HEARTBEAT_MS }),
    )
    const outcomes = await Promise.allSettled(requests.map((each) => locks.acquire(each)))
    for (const [n, outcome] of outcomes.entries()) {
      if (n === 5) expect(outcome).toMatchObject({ reason: expect.any(StoreKeyError) })
      else expect(outcome).toMatchObject({ value: { kind: 'granted' } })
    }
    const released = await Promise.allSettled(requests.map((each) => locks.release(each)))
    expect(released.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(
      11,
    )
    // Nobody stands in a queue that nobody can leave.
    await redis.command('DEL', spoiltKey)
    expect((await locks.inspect('spoilt')).waiting).toBe(0)
  },
)

it('callers of a spoilt lock are told at once, and callers of others never notice', async () => {
  const caches = createCacheManager({
    namespace,
    locks: redisLocks({ url: redis.url }),
    default: false,
  })
  onTestFinished(() => caches.close())
  await redis.command('SET', `{${namespace}:lock:spoilt}`, 'a text')
  await caches.locks.run('fine', { wait: '1m' }, () => undefined)
  for (let n = 0; n < 8; n++) {
    const [spoilt, fine] = await Promise.allSettled([
      caches.locks.run('spoilt', { wait: '1m' }, () => undefined),
      caches.locks.run('fine', { wait: '1m' }, () => n),
    ])
    expect(spoilt).toMatchObject({ reason: expect.any(LockUnavailableError) })
    expect(fine).toMatchObject({ value: n })
  }
}, 60_000)
