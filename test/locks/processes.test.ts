/**
 * Locks between processes on a real Redis: L1, L3, L4, L6, L9, L11. Nothing here depends on how fast the machine is: how long
 * things take is told in `scripts.test.ts` and `terms.test.ts`, where time is in the test's hands.
 */

import { createCacheManager } from '@larder/core'
import { fencedValues, redisLocks } from '@larder/redis-store'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startWorker, type WorkerProcess } from '../support/process/worker.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { slowClock } from '../support/slow-clock.ts'
import type { worker } from './lock.worker.ts'

type Worker = WorkerProcess<typeof worker>

/** Of those who are stopped or killed: others wait for its end. */
const TERM_MS = 1_500
/** Of those who have to keep a lock on a busy machine. */
const LONG_LEASE_MS = 60_000
/** A limit for whoever waits; never what is measured. */
const PATIENCE_MS = 90_000
const TIMEOUT_MS = 120_000

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

async function startWorkers(count: number, namespace: string): Promise<readonly Worker[]> {
  const starting = Array.from({ length: count }, async () => {
    const started: Worker = await startWorker<typeof worker>(
      new URL('./lock.worker.ts', import.meta.url),
      { url: redis.url, namespace },
    )
    onTestFinished(() => started.stop())
    return started
  })
  return Promise.all(starting)
}

function startNode(namespace: string): ReturnType<typeof createCacheManager> {
  const caches = createCacheManager({
    namespace,
    locks: redisLocks({ url: redis.url }),
    default: false,
    // Its deadlines are not what is tested here.
    clock: slowClock(5),
  })
  onTestFinished(() => caches.close())
  return caches
}

it(
  'loses no update between processes, and fences rise with every grant (L1, L3)',
  async () => {
    const namespace = freshNamespace()
    const workers = await startWorkers(3, namespace)
    const fences = await Promise.all(workers.map((each) => each.call('count', 'register', 40)))
    const registers = fencedValues(namespace, { url: redis.url })
    onTestFinished(() => registers.close())
    expect(await registers.get('register')).toBe('120')
    const all = fences.flat()
    expect(new Set(all).size).toBe(120)
    for (const own of fences) expect(own).toEqual([...own].sort((a, b) => a - b))
  },
  TIMEOUT_MS,
)

it(
  'a process that slept past its lease knows it, writes nothing, and releases nothing (L4, L9)',
  async () => {
    const namespace = freshNamespace()
    const [sleeper, other] = (await startWorkers(2, namespace)) as [Worker, Worker]
    const first = await sleeper.call('hold', 'k', TERM_MS, PATIENCE_MS)
    expect(await sleeper.call('writeFenced', 'k', 'first')).toBe(true)
    sleeper.pause()
    const second = await other.call('hold', 'k', LONG_LEASE_MS, PATIENCE_MS)
    expect(second).toBeGreaterThan(first)
    expect(await other.call('writeFenced', 'k', 'second')).toBe(true)
    sleeper.resume()
    // The lock alone could not have stopped it; the fence does.
    expect(await sleeper.call('writeFenced', 'k', 'late')).toBe(false)
    expect(await sleeper.call('state', 'k')).toEqual({ remainingMs: 0, isAborted: true })
    expect(await sleeper.call('release', 'k')).toBe(false)
    expect((await other.call('state', 'k')).remainingMs).toBeGreaterThan(0)
    expect(await other.call('release', 'k')).toBe(true)
  },
  TIMEOUT_MS,
)

it(
  'waiters that died keep nobody out (L6)',
  async () => {
    const namespace = freshNamespace()
    const caches = startNode(namespace)
    const holder = await caches.locks.acquire('k', { lease: LONG_LEASE_MS })
    const workers = await startWorkers(3, namespace)
    for (const [n, each] of workers.entries()) {
      await each.call('wait', 'k', PATIENCE_MS)
      await eventually('it waits', async () => (await caches.locks.inspect('k')).waiting === n + 1)
    }
    const waiting = caches.locks.acquire('k', { wait: PATIENCE_MS })
    await eventually('all wait', async () => (await caches.locks.inspect('k')).waiting === 4)
    await Promise.all(workers.map((each) => each.kill()))
    await holder.release()
    await (await waiting).release()
  },
  TIMEOUT_MS,
)

it(
  'a holder that died keeps nobody out for longer than its term',
  async () => {
    const namespace = freshNamespace()
    const caches = startNode(namespace)
    const [holder] = (await startWorkers(1, namespace)) as [Worker]
    const fence = await holder.call('hold', 'k', TERM_MS, PATIENCE_MS)
    await holder.kill()
    const left = (await caches.locks.inspect('k')).holders[0]?.remainingMs ?? 0
    expect(left).toBeLessThanOrEqual(TERM_MS)
    const next = await caches.locks.acquire('k', { wait: PATIENCE_MS })
    expect(next.fence).toBeGreaterThan(fence)
  },
  TIMEOUT_MS,
)

it(
  'leaves nothing behind but the fence (L11)',
  async () => {
    const namespace = freshNamespace()
    const [one, other] = [startNode(namespace), startNode(namespace)]
    const giveUp = one.locks.acquire('k', { wait: 0 }).then(async (lock) => {
      const late = other.locks.acquire('k', { wait: 50 })
      await expect(late).rejects.toThrow('stayed held')
      const next = other.locks.run('k', { wait: PATIENCE_MS }, () => undefined)
      await eventually('it waits', async () => (await one.locks.inspect('k')).waiting > 0)
      await lock.release()
      await next
    })
    await giveUp
    expect(await redis.command('KEYS', `{${namespace}:*`)).toEqual([`{${namespace}:lock:k}`])
  },
  TIMEOUT_MS,
)
