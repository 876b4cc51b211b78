/** Puts and evictions that travel together: every node and every key is as if each had travelled alone. */

import { partitionOf } from '@larder/core/store'
import { MemoryServer } from '@larder/core/testing'
import { redisStore } from '@larder/redis-store'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode, untilVerified } from '../support/nodes.ts'
import { startProxy } from '../support/proxy/tcp-proxy.ts'
import { startRedis } from '../support/redis/redis-server.ts'

const KEYS = Array.from({ length: 200 }, (_, i) => `k${i}`)
/** Enough for a busy machine, and not too long to wait for. */
const STORE_TIMEOUT = '1s'

describe('changes of one tick', () => {
  it('are read here and forgotten elsewhere, each key as if it were alone', async () => {
    await using server = await startRedis()
    const namespace = freshNamespace()
    const [a, b] = [
      startNode({ namespace, url: server.url }),
      startNode({ namespace, url: server.url }),
    ]
    await Promise.all([untilVerified(a), untilVerified(b)])
    const [onA, onB] = [a.caches.cache<string>('c'), b.caches.cache<string>('c')]
    await Promise.all(KEYS.map((key) => onA.set(key, 'old')))
    expect(await onB.getMany(KEYS)).toEqual(KEYS.map(() => 'old'))
    await Promise.all(KEYS.map((key, i) => (i % 2 === 0 ? onA.set(key, 'new') : onA.evict(key))))
    const expected = KEYS.map((_, i) => (i % 2 === 0 ? 'new' : undefined))
    expect(await onA.getMany(KEYS)).toEqual(expected)
    await eventually('the other node has heard of all', async () => {
      const found = await onB.getMany(KEYS)
      return found.every((value, i) => value === expected[i])
    })
  })

  it('whose reply is lost leave no old value readable, here or elsewhere', async () => {
    await using server = await startRedis()
    await using proxy = await startProxy(server.port)
    const namespace = freshNamespace()
    const options = { namespace, storeTimeout: STORE_TIMEOUT } as const
    const a = startNode({ ...options, remote: redisStore({ url: proxy.url, pingEvery: '1h' }) })
    const b = startNode({ ...options, url: server.url })
    await Promise.all([untilVerified(a), untilVerified(b)])
    const [onA, onB] = [a.caches.cache<string>('c'), b.caches.cache<string>('c')]
    await Promise.all(KEYS.map((key) => onA.set(key, 'old')))
    expect(await onB.getMany(KEYS)).toEqual(KEYS.map(() => 'old'))
    proxy.blackhole(true, 'to-client')
    await Promise.allSettled(
      KEYS.map((key, i) => (i % 2 === 0 ? onA.set(key, 'new') : onA.evict(key))),
    )
    const isOld = (value: string | undefined): boolean => value === 'old'
    expect((await onA.getMany(KEYS)).some(isOld)).toBe(false)
    await proxy.heal()
    proxy.cut()
    await eventually('nobody reads an old value', async () => {
      const status = a.caches.status()
      const found = [...(await onA.getMany(KEYS)), ...(await onB.getMany(KEYS))]
      return status.recoveryQueue.waiting === 0 && !found.some(isOld)
    })
  })
})

describe('keys of one change', () => {
  it('are out of doubt when their changes, which share a number, are answered', async () => {
    const server = new MemoryServer()
    const store = server.store({ gathersChanges: true })
    const namespace = freshNamespace()
    const node = startNode({ namespace, remote: store })
    await untilVerified(node)
    const cache = node.caches.cache<string>('c', { local: false })
    const [one, other] = twoOfOnePartition()
    await Promise.all([cache.set(one, 'old'), cache.set(other, 'old')])
    const doubted = [`c:${one}`, `c:${other}`]
    const doubt = { kind: 'doubt', keys: doubted, tags: [], isRepeated: false } as const
    await store.bus.publish(doubt)
    await eventually('both are in doubt', async () => (await cache.get(one)) === undefined)
    store.disconnect({ only: 'messages', silently: true })
    await Promise.all([cache.evict(one), cache.evict(other)])
    // Somebody else has made new ones.
    const elsewhere = startNode({ namespace, remote: server.store() })
    await untilVerified(elsewhere)
    const there = elsewhere.caches.cache<string>('c', { local: false })
    await Promise.all([there.set(one, 'new'), there.set(other, 'new')])
    expect([await cache.get(one), await cache.get(other)]).toEqual(['new', 'new'])
  })
})

function twoOfOnePartition(): readonly [string, string] {
  const one = 'one'
  const other = KEYS.find((key) => partitionOf(`c:${key}`) === partitionOf(`c:${one}`))
  if (other === undefined) throw new Error('None of the keys is in its partition')
  return [one, other]
}
