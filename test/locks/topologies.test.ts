/** Locks on a Cluster, through a Sentinel failover, with replicas, and on a quorum of servers. */

import {
  type CacheManager,
  createCacheManager,
  LockUnavailableError,
  quorumLocks,
} from '@larder/core'
import { redisLocks } from '@larder/redis-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startCluster } from '../support/redis/redis-cluster.ts'
import { startSentinel } from '../support/redis/redis-sentinel.ts'
import { startRedis } from '../support/redis/redis-server.ts'

const ROOM_MS = 30_000

function startNode(
  locks: ReturnType<typeof redisLocks>,
  namespace = freshNamespace(),
): CacheManager {
  const caches = createCacheManager({ namespace, locks, default: false })
  onTestFinished(() => caches.close())
  return caches
}

/** Takes and gives back a lock as soon as that works; its fence. */
async function fenceOf(caches: CacheManager, key: string): Promise<number> {
  let fence = 0
  await eventually(
    `${key} can be taken`,
    async () => {
      const lock = await caches.locks.acquire(key, { wait: '5s' }).catch(() => undefined)
      fence = lock?.fence ?? 0
      return (await lock?.release()) === true
    },
    ROOM_MS,
  )
  return fence
}

describe('a Cluster', () => {
  it('spreads locks over its masters, wakes across nodes, and keeps fences rising through a failover', async () => {
    const cluster = await startCluster({ replicasPerMaster: 1 })
    onTestFinished(() => cluster.stop())
    const namespace = freshNamespace()
    const nodes = [1, 2].map(() =>
      startNode(redisLocks({ cluster: [...cluster.startupNodes] }), namespace),
    ) as [CacheManager, CacheManager]
    const [one, other] = nodes
    const keys = Array.from({ length: 12 }, (_, n) => `k${n}`)
    const before = new Map<string, number>()
    for (const key of keys) before.set(key, await fenceOf(one, key))
    const many = await other.locks.acquire(keys, { wait: '20s' })
    const waiting = one.locks.acquire('k3', { wait: '30s' })
    await eventually('it waits', async () => (await other.locks.inspect('k3')).waiting === 1)
    await many.release()
    await (await waiting).release()

    const slot = await cluster.slotOf(`{${namespace}:lock:k0}`)
    await cluster.failover(await cluster.masterOf(slot), 'takeover')
    for (const key of keys) {
      expect(await fenceOf(one, key)).toBeGreaterThan(before.get(key) ?? 0)
    }
  }, 120_000)
})

describe('Sentinel', () => {
  it('a failover may hand a lock out again, but never its fence', async () => {
    const sentinel = await startSentinel()
    onTestFinished(() => sentinel.stop())
    const options = { sentinels: [...sentinel.sentinelAddresses], name: sentinel.name }
    const caches = startNode(redisLocks({ options }))
    const first = await fenceOf(caches, 'k')
    const held = await caches.locks.acquire('k', { lease: '5s' })
    expect(held.fence).toBeGreaterThan(first)
    await sentinel.failover('crash')
    await held.release()
    expect(await fenceOf(caches, 'k')).toBeGreaterThan(held.fence)
  }, 120_000)

  it('replicas are waited for, and their lack is an error that leaves the lock free', async () => {
    const sentinel = await startSentinel()
    onTestFinished(() => sentinel.stop())
    const options = { sentinels: [...sentinel.sentinelAddresses], name: sentinel.name }
    const caches = startNode(redisLocks({ options }))
    await fenceOf(caches, 'warm-up')
    await using lock = await caches.locks.acquire('k', { replicas: { min: 1 }, wait: '20s' })
    expect(lock.remainingMs()).toBeGreaterThan(0)
    const tooMany = caches.locks.acquire('other', {
      replicas: { min: 9, timeout: '50ms' },
      wait: 0,
    })
    await expect(tooMany).rejects.toThrow(LockUnavailableError)
    expect((await caches.locks.inspect('other')).holders).toEqual([])
  }, 120_000)
})

describe('a quorum', () => {
  it('excludes, survives the loss of a minority, and fences rise whichever servers answer', async () => {
    const servers = await Promise.all([startRedis(), startRedis(), startRedis()])
    for (const server of servers) onTestFinished(() => server.stop())
    const namespace = freshNamespace()
    const make = (): CacheManager =>
      startNode(
        quorumLocks({ providers: servers.map(({ url }) => redisLocks({ url })) }),
        namespace,
      )
    const [one, other] = [make(), make()]
    const fences: number[] = [await fenceOf(one, 'k')]
    let running = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        (n % 2 === 0 ? one : other).locks.run('k', { wait: '50s' }, async (lock) => {
          running += 1
          most = Math.max(most, running)
          fences.push(lock.fence)
          await new Promise((resolve) => setImmediate(resolve))
          running -= 1
        }),
      ),
    )
    expect(most).toBe(1)
    await servers[0]?.stop()
    fences.push(await fenceOf(one, 'k'), await fenceOf(other, 'k'))
    await servers[0]?.start()
    await servers[1]?.pause()
    fences.push(await fenceOf(other, 'k'))
    await servers[1]?.resume()
    expect(fences).toEqual([...fences].sort((a, b) => a - b))
    expect(new Set(fences).size).toBe(fences.length)
  }, 120_000)

  it('without a majority says that nobody can tell', async () => {
    const servers = await Promise.all([startRedis(), startRedis(), startRedis()])
    for (const server of servers) onTestFinished(() => server.stop())
    const caches = startNode(
      quorumLocks({ providers: servers.map(({ url }) => redisLocks({ url })) }),
    )
    await fenceOf(caches, 'k')
    await Promise.all([servers[0]?.stop(), servers[1]?.stop()])
    await expect(caches.locks.acquire('k', { wait: '20s' })).rejects.toThrow(LockUnavailableError)
  }, 60_000)

  it('needs an odd number of different providers, and knows no readers', async () => {
    const provider = redisLocks({ url: 'redis://127.0.0.1:1' })
    expect(() => quorumLocks({ providers: [provider, provider, provider] })).toThrow('different')
    const caches = startNode(
      quorumLocks({
        providers: [1, 2, 3].map((n) => redisLocks({ url: `redis://127.0.0.1:${n}` })),
      }),
    )
    await expect(caches.locks.acquire('k', { mode: 'read' })).rejects.toThrow('locks.acquire.mode')
  })
})
