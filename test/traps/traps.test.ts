/** The twelve traps seen in cache libraries for Node, each as a test. (Numbers 1–12 are the list's own.) */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createCacheManager, type Isolation, valueType } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { describe, expect, inject, it } from 'vitest'
import { RecoveryQueue } from '../../packages/core/src/coherence/recovery-queue.ts'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode, startPair, untilVerified } from '../support/nodes.ts'
import { startRedis } from '../support/redis/redis-server.ts'

const ROOT = join(import.meta.dirname, '..', '..')

describe('1: keys', () => {
  it('a key function, a template and a default key never meet in one cache by accident', async () => {
    await using caches = createCacheManager({
      namespace: 'keys',
      local: lruStore(),
      default: false,
    })
    const cache = caches.cache<string>('c')
    await cache.set(['a', 'b:c'], '1')
    await cache.set(['a:b', 'c'], '2')
    await cache.set('a:b:c', '3')
    expect(await cache.getMany([['a', 'b:c'], ['a:b', 'c'], 'a:b:c'])).toEqual(['1', '2', '3'])
  })
})

describe('2: a loader error is not a cache error', () => {
  it('the loader runs once and its error comes through, whatever the store does', async () => {
    await using server = await startRedis()
    const node = startNode({ url: server.url, storeTimeout: '100ms' })
    await untilVerified(node)
    await server.kill()
    const problem = new Error('source down')
    let calls = 0
    const failing = node.caches.cache('c').getOrLoad('k', async () => {
      calls += 1
      throw problem
    })
    await expect(failing).rejects.toBe(problem)
    expect(calls).toBe(1)
  })
})

describe('4: publishing although the write failed', () => {
  it('a put whose write fails still makes the other nodes forget the old value', async () => {
    await using server = await startRedis()
    const namespace = freshNamespace()
    const policy = { maxStaleness: '500ms' } as const
    const [a, b] = [
      startNode({ namespace, url: server.url, policy }),
      startNode({ namespace, url: server.url, policy }),
    ]
    await Promise.all([untilVerified(a), untilVerified(b)])
    await a.caches.cache('c').set('k', 'old')
    await eventually('B has it', async () => (await b.caches.cache('c').get('k')) === 'old')

    await server.command('config', 'set', 'maxmemory', '1')
    await a.caches.cache('c').set('k', 'new')
    expect(a.seen('store-error').length).toBeGreaterThan(0)
    await server.command('config', 'set', 'maxmemory', '0')

    await eventually(
      'B forgets the old value',
      async () => (await b.caches.cache('c').get('k')) !== 'old',
    )
  })
})

describe('6: no read-modify-write', () => {
  it('concurrent tag invalidations on two nodes all count', async () => {
    const [a, b] = await startPair()
    const tags = Array.from({ length: 40 }, (_, i) => `t${i}`)
    const cache = a.caches.cache<string>('c')
    for (const tag of tags) await cache.set(tag, 'old', { tags: [tag] })
    await Promise.all(tags.map((tag, i) => (i % 2 === 0 ? a : b).caches.evictTags([tag])))

    await eventually('every entry is gone', async () => {
      const left = await b.caches.cache('c').getMany(tags)
      return left.every((value) => value === undefined)
    })
  })
})

describe('7: staying inside the prefix', () => {
  it('no package sends FLUSHALL, FLUSHDB or KEYS', () => {
    const files = readdirSync(join(ROOT, 'packages'), { recursive: true, encoding: 'utf8' })
    const sources = files.filter(
      (file) => /^[^/]+\/(src|lua)\/.*\.(ts|lua)$/.test(file) && !file.endsWith('.test.ts'),
    )
    expect(sources.length).toBeGreaterThan(50)
    for (const file of sources) {
      const text = readFileSync(join(ROOT, 'packages', file), 'utf8')
      // The keys of an inspection are scanned, a bounded number of them.
      expect(text, file).not.toMatch(
        /redis\.call\('(KEYS|FLUSH\w*)'|\.(flushall|flushdb)\(|(?<!\binspection)\.keys\('/i,
      )
    }
  })

  it('clear, evictPattern and close leave other namespaces and foreign keys alone', async () => {
    const client = new Redis(inject('redisUrl'))
    const namespace = freshNamespace()
    const foreign = `foreign:${namespace}`
    await client.set(foreign, 'x', 'EX', 60)
    const a = startNode({ namespace })
    const other = startNode({ namespace: `${namespace}0` })
    await Promise.all([a, other].map(({ caches }) => caches.cache('c').set('k', 'v')))
    await a.caches.clear()
    for await (const _ of a.caches.cache('c').evictPattern('*'));
    await a.caches.close()

    expect(await client.get(foreign)).toBe('x')
    expect(await other.caches.cache('c').get('k')).toBe('v')
    client.disconnect()
  })
})

describe('8: clients', () => {
  it('a client that was handed in keeps its listeners and its connection', async () => {
    const client = new Redis(inject('redisUrl'))
    await client.ping()
    const count = (): number =>
      client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0)
    const before = count()
    for (let i = 0; i < 5; i++) {
      const caches = createCacheManager({
        namespace: freshNamespace(),
        remote: redisStore({ client }),
        default: false,
      })
      await caches.cache('c').getOrLoad('k', async () => 1)
      await caches.close()
    }
    expect(count()).toBe(before)
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  })
})

describe('10: bounds', () => {
  it('the recovery queue coalesces, escalates when full, and never forgets', () => {
    const queue = new RecoveryQueue(4, 3)
    for (let i = 0; i < 3; i++) queue.addKey({ partition: 1, key: 'same' })
    expect(queue.size).toBe(1)
    for (let i = 0; i < 3; i++) queue.addKey({ partition: 2, key: `k${i}` })
    expect(queue.escalated).toBe('none')
    expect(queue.addKey({ partition: 2, key: 'k3' })).toEqual(['%2'])
    expect(queue.escalated).toBe('partition')
    expect(queue.keys.has('same')).toBe(true)
    expect(queue.addTags(['a', 'b', 'c'])).toEqual(['*'])
    expect(queue.waiting()).toEqual({ keys: [], tags: [{ tag: '*' }] })
    queue.settle(queue.waiting())
    expect(queue.size).toBe(0)
    expect(queue.escalated).toBe('none')
  })

  it('an eviction asked for again while an earlier one runs is not settled with it', () => {
    const queue = new RecoveryQueue()
    queue.addKey({ partition: 1, key: 'k' })
    const running = queue.waiting()
    queue.addKey({ partition: 1, key: 'k' })
    queue.settle(running)
    expect(queue.keys.has('k')).toBe(true)
  })

  it('a local copy never outlives the remote entry', async () => {
    const [a, b] = await startPair({ policy: { ttl: '600ms', jitter: 0 } })
    await a.caches.cache('c').set('k', 'v')
    await eventually('B has it', async () => (await b.caches.cache('c').get('k')) === 'v')
    await eventually('the remote entry ended', async () => {
      const client = new Redis(inject('redisUrl'))
      const keys = await client.keys(`{${a.caches.namespace}:*}:c:k`)
      client.disconnect()
      return keys.length === 0
    })
    expect(await b.caches.cache('c').get('k')).toBeUndefined()
  })
})

class Money {
  readonly cents: bigint

  constructor(cents: bigint) {
    this.cents = cents
  }
}

describe('11: the same value from either tier', () => {
  const types = [
    valueType({
      name: 'money',
      class: Money,
      encode: (money) => money.cents,
      decode: (cents) => new Money(cents as bigint),
    }),
  ]
  const value = {
    date: new Date(5),
    map: new Map<unknown, unknown>([[1, new Set(['x'])]]),
    big: 2n ** 80n,
    bytes: Buffer.from([1, 2, 3]),
    floats: new Float64Array([1.5, -0]),
    nothing: undefined,
    none: null,
    nested: [[{ deep: [-0, Number.NaN] }]],
    money: new Money(150n),
    error: Object.assign(new TypeError('bad'), { code: 'E1' }),
  }

  it.each(['frozen', 'cloned'] as const)(
    'loader, local hit and remote hit agree (%s)',
    async (isolation: Isolation) => {
      const namespace = freshNamespace()
      const policy = { isolation }
      const [a, b] = [
        startNode({ namespace, policy, types }),
        startNode({ namespace, policy, types }),
      ]
      const loaded = await a.caches.cache('c').getOrLoad('k', async () => value)
      await eventually(
        'B finds it in the store',
        async () => (await b.caches.cache('c').get('k')) !== undefined,
      )
      for (const found of [
        loaded,
        await a.caches.cache('c').get('k'),
        await b.caches.cache('c').get('k'),
      ]) {
        expect(found).toStrictEqual(value)
        expect((found as typeof value).money).toBeInstanceOf(Money)
        expect((found as typeof value).error.code).toBe('E1')
      }
    },
  )

  it('an instance of a class that is not registered is a clear error the first time', async () => {
    const node = startNode()
    await expect(
      node.caches.cache('c').getOrLoad('k', async () => ({ price: new Money(1n) })),
    ).rejects.toThrow(/Money at \$\.price .*Register Money/)
  })
})
