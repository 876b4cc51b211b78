/** Limits on a Cluster of three masters, and behind Sentinel: exact while all is well, and truthful through a failover. */

import { type CacheManager, createCacheManager, type LimiterOptions } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { type RedisStoreOptions, redisStore } from '@larder/redis-store'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startWorker } from '../support/process/worker.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'
import { type RedisSentinel, startSentinel } from '../support/redis/redis-sentinel.ts'
import type { RedisServer } from '../support/redis/redis-server.ts'
import type { worker } from './limits.worker.ts'

const PATIENT = { storeTimeout: '20s' } as const
const ROOM_MS = 30_000

async function open(store: RedisStoreOptions, namespace = freshNamespace()): Promise<CacheManager> {
  const caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore(store),
    default: false,
  })
  onTestFinished(() => caches.close())
  const limiter = caches.limiter({ limit: 1, per: '1s', name: 'warm-up' })
  await eventually(
    'the shared store decides',
    async () => (await limiter.peek('k')).source === 'remote',
    ROOM_MS,
  )
  return caches
}

describe('a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 1 })
  }, 120_000)
  afterAll(() => cluster.stop())

  const KEYS = Array.from({ length: 40 }, (_, i) => `k${i}`)
  const storeOptions = (): RedisStoreOptions => ({ cluster: [...cluster.startupNodes] })

  it('counts every key on its own master, calls of one tick about many keys included', async () => {
    const namespace = freshNamespace()
    const nodes = await Promise.all([
      open(storeOptions(), namespace),
      open(storeOptions(), namespace),
    ])
    const options: LimiterOptions = {
      ...PATIENT,
      name: 'x',
      policies: [
        { name: 'a', limit: 5, per: '1d' },
        { name: 'b', limit: 100, per: '1d', algorithm: 'smooth' },
        { name: 'c', limit: 50, per: 'month' },
      ],
    }
    const verdicts = await Promise.all(
      nodes.flatMap((caches) =>
        KEYS.flatMap((key) => [1, 2, 3, 4].map(() => caches.limiter(options).consume(key))),
      ),
    )
    expect(verdicts.every(({ source }) => source === 'remote')).toBe(true)
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(5 * KEYS.length)
    const held = await Promise.all(
      (await cluster.masters()).map((master) => master.command('DBSIZE')),
    )
    for (const count of held) expect(Number(count)).toBeGreaterThan(0)
  }, 60_000)

  it('several processes together get exactly the limit', async () => {
    const init = { namespace: freshNamespace(), store: storeOptions() }
    const url = new URL('./limits.worker.ts', import.meta.url)
    const workers = await Promise.all([1, 2].map(() => startWorker<typeof worker>(url, init)))
    const options: LimiterOptions = { ...PATIENT, onStoreError: 'closed', limit: 100, per: '1d' }
    const counts = await Promise.all(workers.map((each) => each.call('consume', options, 'k', 100)))
    await Promise.all(workers.map((each) => each.stop()))
    const admitted = counts.reduce((sum, count) => sum + (count['allowed remote'] ?? 0), 0)
    expect(admitted).toBe(100)
  }, 60_000)

  it('a failover in good order forgets nothing', async () => {
    const caches = await open(storeOptions())
    const limiter = caches.limiter({ ...PATIENT, limit: 3, per: '1d' })
    for (const key of KEYS) await limiter.consume(key, 2)
    const [master] = await cluster.masters()
    if (master === undefined) throw new Error('There is a master')
    await cluster.failover(master, 'handover')
    await eventually(
      'all keys are decided by the shared store',
      async () => {
        const looks = await Promise.all(KEYS.map((key) => limiter.peek(key)))
        return looks.every(({ source }) => source === 'remote')
      },
      ROOM_MS,
    )
    const verdicts = await Promise.all(KEYS.map((key) => limiter.consume(key, 2)))
    expect(verdicts.filter(({ allowed }) => allowed)).toEqual([])
  }, 120_000)

  it('a failover after a crash: calls are answered all the while, and told who decided', async () => {
    const caches = await open(storeOptions())
    const limiter = caches.limiter({ limit: 1_000, per: '1d' })
    const [master] = await cluster.masters()
    if (master === undefined) throw new Error('There is a master')
    await master.kill()
    const failover = eventually(
      'its replica takes over',
      () => cluster.failover(master, 'takeover'),
      ROOM_MS,
    )
    let isOver = false
    const end = (): void => {
      isOver = true
    }
    failover.then(end, end)
    const sources = new Set<string>()
    while (!isOver) {
      const verdicts = await Promise.all(KEYS.map((key) => limiter.consume(key)))
      for (const { source, allowed } of verdicts) {
        expect(allowed).toBe(true)
        sources.add(source)
      }
      // Nobody waits for anything here, so let the others run.
      await new Promise((resolve) => setImmediate(resolve))
    }
    await failover
    expect([...sources].every((source) => source === 'remote' || source === 'local')).toBe(true)
    await eventually(
      'all keys are decided by the shared store again',
      async () => {
        const looks = await Promise.all(KEYS.map((key) => limiter.peek(key)))
        return looks.every(({ source }) => source === 'remote')
      },
      ROOM_MS,
    )
    await master.start()
    await cluster.settle()
  }, 120_000)
})

describe('Sentinel', () => {
  let sentinel: RedisSentinel
  beforeAll(async () => {
    sentinel = await startSentinel()
  }, 60_000)
  afterAll(() => sentinel.stop())

  it('through a failover after a crash, calls are answered all the while, and the new master decides', async () => {
    const caches = await open({
      options: { sentinels: [...sentinel.sentinelAddresses], name: sentinel.name },
    })
    const limiter = caches.limiter({ limit: 10, per: '1d', share: 0.5 })
    for (let i = 0; i < 8; i++) await limiter.consume('k')
    await untilReplicated(await sentinel.master())
    const failover = sentinel.failover('crash')
    let isOver = false
    const end = (): void => {
      isOver = true
    }
    failover.then(end, end)
    let local = 0
    while (!isOver) {
      const { source, allowed } = await limiter.consume('k')
      if (source === 'local' && allowed) local += 1
      // Nobody waits for anything here, so let the others run.
      await new Promise((resolve) => setImmediate(resolve))
    }
    await failover
    expect(local).toBeLessThanOrEqual(5)
    await eventually(
      'the new master decides',
      async () => (await limiter.peek('k')).source === 'remote',
      ROOM_MS,
    )
    expect((await limiter.peek('k')).remaining).toBeLessThanOrEqual(2)
  }, 120_000)
})

/** What a replica has not received is lost in a crash; here it has all. */
async function untilReplicated(master: RedisServer): Promise<void> {
  await eventually('the replica has everything', async () => {
    const info = String(await master.command('INFO', 'replication'))
    const replica = /slave0:.*offset=(\d+)/.exec(info)?.[1]
    return replica !== undefined && replica === /master_repl_offset:(\d+)/.exec(info)?.[1]
  })
}
