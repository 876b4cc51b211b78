/** What is left of heartbeats in Redis, and what becomes of them when the server's clock, or half of them, is lost. */

import { LONGEST_HEARTBEAT_MS, MOST_NODES } from '@larder/core/store'
import { Redis } from 'ioredis'
import { expect, inject, it, onTestFinished } from 'vitest'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { RedisFleet } from '../../packages/redis-store/src/fleet/redis-fleet.ts'
import { fleetKeys } from '../../packages/redis-store/src/key-layout.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { freshNamespace } from '../support/nodes.ts'

const START_MS = 1_700_000_000_000

/** A fleet on a clock of the test, and a client beside it. */
function stage() {
  const url = inject('redisUrl')
  const options = resolveRedisStoreOptions({ url })
  const backend = new Backend(options)
  const redis = new Redis(url)
  onTestFinished(async () => {
    redis.disconnect()
    await backend.close()
  })
  const clock = { ms: START_MS }
  const namespace = freshNamespace()
  const fleet = new RedisFleet({
    backend,
    options,
    ownsBackend: false,
    nowUs: () => clock.ms * 1_000,
  })
  fleet.open(namespace)
  const beat = (node: string, livesMs = 15_000): Promise<boolean> =>
    fleet.beat({ node, report: `of ${node}`, livesMs })
  const nodes = async (): Promise<readonly string[]> =>
    (await fleet.list()).heartbeats.map(({ node }) => node).sort()
  return { fleet, clock, redis, beat, nodes, ...fleetKeys(namespace) }
}

it('a heartbeat forgets those whose time is over, in both keys', async () => {
  const { clock, redis, beat, ends, heartbeats } = stage()
  await beat('a')
  await beat('b', 1_000)
  clock.ms += 1_000
  await beat('a')
  expect(await redis.zrange(ends, 0, '-1')).toEqual(['a'])
  expect(await redis.hkeys(heartbeats)).toEqual(['a'])
})

it('both keys live as long as the heartbeat that ends last', async () => {
  const { redis, beat, ends, heartbeats } = stage()
  await beat('long', 180_000)
  await beat('short', 1_000)
  for (const key of [ends, heartbeats]) {
    const leftMs = await redis.pttl(key)
    expect(leftMs).toBeGreaterThan(100_000)
    expect(leftMs).toBeLessThanOrEqual(180_000)
  }
})

it('an end that a clock far ahead has left is forgotten at the next heartbeat', async () => {
  const { clock, beat, nodes, fleet } = stage()
  await beat('ahead')
  clock.ms -= LONGEST_HEARTBEAT_MS + 3_600_000
  expect((await fleet.list()).heartbeats).toEqual([expect.objectContaining({ ageMs: 0 })])
  await beat('a')
  expect(await nodes()).toEqual(['a'])
})

it('a node that is alive stays over a small step back of the clock', async () => {
  const { clock, beat, nodes } = stage()
  await beat('a')
  await beat('b', LONGEST_HEARTBEAT_MS)
  clock.ms -= 10_000
  await beat('a')
  expect(await nodes()).toEqual(['a', 'b'])
})

it('reports whose ends were lost are thrown away, and those of live nodes come back', async () => {
  const { redis, beat, nodes, ends, heartbeats } = stage()
  await beat('dead')
  await beat('a')
  await redis.del(ends)
  await beat('a')
  expect(await redis.hkeys(heartbeats)).toEqual(['a'])
  await beat('b')
  expect(await nodes()).toEqual(['a', 'b'])
})

it('ends whose reports were lost are no nodes until they report again', async () => {
  const { redis, beat, nodes, heartbeats } = stage()
  await beat('a')
  await beat('b')
  await redis.del(heartbeats)
  expect(await nodes()).toEqual([])
  await beat('a')
  expect(await nodes()).toEqual(['a'])
})

it('what is not a heartbeat is left out', async () => {
  const { redis, beat, nodes, heartbeats } = stage()
  await beat('a')
  await beat('b')
  await redis.hset(heartbeats, 'b', 'something else')
  expect(await nodes()).toEqual(['a'])
})

it('as many nodes as may be are kept and listed, and one more when one has gone', async () => {
  const { beat, nodes, fleet, redis, heartbeats } = stage()
  const all = Array.from({ length: MOST_NODES }, (_, i) => `n${i}`)
  expect(new Set(await Promise.all(all.map((node) => beat(node))))).toEqual(new Set([true]))
  expect(await nodes()).toEqual([...all].sort())
  expect(await beat('more')).toBe(false)
  expect(await redis.hlen(heartbeats)).toBe(MOST_NODES)
  expect(await beat('n7')).toBe(true)
  await fleet.leave('n0')
  expect(await beat('more')).toBe(true)
})

it('the last one that leaves leaves nothing', async () => {
  const { fleet, redis, beat, ends, heartbeats } = stage()
  await beat('a')
  await fleet.leave('a')
  expect(await redis.exists(ends, heartbeats)).toBe(0)
})
