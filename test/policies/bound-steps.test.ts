/**
 * A codec step is told the same of an entry when it is written and when it is read, on every way in and out, and whatever a
 * store does to the header in between. Over the store in memory, over Redis, and over a Keyv.
 */

import { type CacheManager, type CacheOptions, createCacheManager } from '@larder/core'
import { FLAG } from '@larder/core/store'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { fromKeyv } from '@larder/keyv-store'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import Keyv from 'keyv'
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest'
import { type BindingPlugin, bindingPlugin } from '../support/binding-step.ts'
import { deferred, eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { never } from './memory-world.ts'

const server = new MemoryServer()
const kept = new Map<string, unknown>()
const STORES = {
  memory: () => ({ remote: server.store(), codec: structuredCodec }),
  redis: () => ({ remote: redisStore({ url: inject('redisUrl') }) }),
  keyv: () => ({ remote: fromKeyv(new Keyv({ store: kept })), codec: structuredCodec }),
} as const

const cases = (Object.keys(STORES) as (keyof typeof STORES)[]).flatMap((where) =>
  [false, true].map((isAsync) => ({ where, isAsync })),
)

describe.each(cases)('over $where, a step that takes its time: $isAsync', ({ where, isAsync }) => {
  let namespace: string
  let plugin: BindingPlugin
  let unread: unknown[]

  beforeEach(() => {
    namespace = freshNamespace()
    plugin = bindingPlugin(isAsync)
    unread = []
  })

  /** A node that keeps nothing itself, so that every read is one of the store. */
  function startNode(policy: CacheOptions = {}): CacheManager {
    const caches = createCacheManager({
      namespace,
      default: false,
      logger: false,
      storeTimeout: '10s',
      plugins: [plugin],
      defaults: { ttl: '1h', jitter: 0, local: false, ...policy },
      ...STORES[where](),
    })
    onTestFinished(() => caches.close())
    caches.on('undecodable', (event) => unread.push(event))
    return caches
  }

  const allRead = (): void => expect(unread).toEqual([])

  it('holds for one and many, values and nothing, with and without tags', async () => {
    const [a, b] = [startNode({ negativeTtl: '1h' }), startNode({ negativeTtl: '1h' })]
    const [writer, reader] = [a.cache<unknown>('c'), b.cache<unknown>('c')]
    await writer.set('set', [1], { tags: ['t', '*odd', 'ü'] })
    await writer.set('nothing', null)
    await writer.warm([
      ['warm1', { a: 1 }],
      ['warm2', 'w'],
    ])
    await writer.getOrLoad('loaded', async () => 'l', { tags: ['t'] })
    await writer.getManyOrLoad(['m1', 'm2'], async (keys) => keys.map((key) => `of ${key}`))
    const keys = ['set', 'nothing', 'warm1', 'warm2', 'loaded', 'm1', 'm2']
    await eventually('all are stored', async () => {
      const entries = await reader.getEntries(keys)
      return entries.every((entry) => entry !== undefined)
    })
    const all = [[1], null, { a: 1 }, 'w', 'l', 'of m1', 'of m2']
    expect(await reader.getMany(keys)).toEqual(all)
    expect(await Promise.all(keys.map((key) => reader.getOrLoad(key, never)))).toEqual(all)
    expect((await reader.getEntry('set'))?.tags).toEqual(['t', '*odd', 'ü'])
    if (where !== 'keyv') {
      const found = new Map<string, unknown>()
      for await (const [key, value] of reader.entries()) found.set(key, value)
      expect(keys.map((key) => found.get(key))).toEqual(all)
    }
    allRead()
    const flags = new Map(plugin.written.map((entry) => [entry.key, entry.flags]))
    expect([flags.get('c:set'), flags.get('c:nothing'), flags.get('c:loaded')]).toEqual([
      FLAG.put,
      FLAG.put + FLAG.negative,
      0,
    ])
    expect(plugin.written[0]).toMatchObject({ namespace, cache: 'c', stepsBefore: [] })
  })

  it('holds for remembered errors', async () => {
    const policy: CacheOptions = { cacheErrors: () => '1h' }
    const [a, b] = [startNode(policy), startNode(policy)]
    const failing = async (): Promise<never> => Promise.reject(new RangeError('down'))
    await expect(a.cache('c').getOrLoad('k', failing)).rejects.toThrow('down')
    await eventually('it is stored', () => b.cache('c').getEntry('k'))
    await expect(b.cache('c').getOrLoad('k', never)).rejects.toThrow('down')
    expect(plugin.written.map(({ flags }) => flags)).toEqual([FLAG.error])
    allRead()
  })

  it('holds where what is there is refreshed or replaced', async () => {
    const [a, b] = [startNode(), startNode()]
    const cache = a.cache<string>('c')
    await cache.set('k', 'v1')
    expect(await cache.refresh('k', async () => 'v2')).toBe('v2')
    expect(await b.cache('c').getOrLoad('k', never)).toBe('v2')
    await cache.set('k', 'v3')
    expect(await b.cache('c').getOrLoad('k', never)).toBe('v3')
    expect(new Set(plugin.written.map(({ commit }) => commit)).size).toBe(3)
    allRead()
  })

  it('holds after a soft eviction, through the lease that the load writes beside it', async () => {
    const policy: CacheOptions = { staleIfError: '1h' }
    const [a, b] = [startNode(policy), startNode(policy)]
    await a.cache('c').set('k', 'v', { tags: ['t'] })
    await a.cache('c').evict('k', { soft: true })
    const gate = deferred<string>()
    const begun = deferred()
    const failing = b.cache('c').getOrLoad('k', () => {
      begun.resolve()
      return gate.promise
    })
    await begun.promise
    expect(await a.cache('c').get('k', { allowStale: true })).toBe('v')
    gate.reject(new Error('down'))
    expect(await failing).toBe('v')
    allRead()
  })

  it('holds for what is loaded in a settle window, and lives no longer than that', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache('c').set('k', 'v1')
    await a.cache('c').evict('k', { settle: '1m' })
    expect(await a.cache('c').getOrLoad('k', async () => 'v2')).toBe('v2')
    const entry = await eventually('it is stored', () => b.cache('c').getEntry('k'))
    expect(entry.value).toBe('v2')
    expect(entry.livesForMs).toBeLessThanOrEqual(60_000)
    allRead()
  })

  it('holds for who waits for the load of another node', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache('c').get('other')
    await b.cache('c').get('other')
    const gate = deferred<string>()
    const begun = deferred()
    const first = a.cache('c').getOrLoad('k', () => {
      begun.resolve()
      return gate.promise
    })
    await begun.promise
    if (where === 'keyv') gate.resolve('v')
    const second = b.cache('c').getOrLoad('k', where === 'keyv' ? async () => 'v' : never)
    gate.resolve('v')
    expect(await Promise.all([first, second])).toEqual(['v', 'v'])
    allRead()
  })

  it('holds for what a node keeps in both tiers, and compares when in doubt', async () => {
    const caches = startNode({ local: true, maxStaleness: '50ms' })
    const near = createCacheManager({
      namespace,
      default: false,
      logger: false,
      local: lruStore(),
      plugins: [plugin],
      defaults: { ttl: '1h', jitter: 0 },
      ...STORES[where](),
    })
    onTestFinished(() => near.close())
    await caches.cache('c').set('k', 'v', { tags: ['t'] })
    expect(await near.cache('c').getOrLoad('k', never)).toBe('v')
    allRead()
  })
})

it('holds for a value that waited for the store', async () => {
  const plugin = bindingPlugin()
  const own = new MemoryServer()
  const start = (remote = own.store()) => {
    const caches = createCacheManager({
      namespace: 'waiting',
      default: false,
      logger: false,
      local: lruStore(),
      remote,
      codec: structuredCodec,
      plugins: [plugin],
      defaults: { ttl: '1h' },
    })
    onTestFinished(() => caches.close())
    return { caches, remote }
  }
  const a = start()
  await a.caches.ready()
  a.remote.disconnect()
  await a.caches.cache('c').set('k', 'v')
  a.remote.reconnect()
  await eventually('nothing waits', () => a.caches.status().recoveryQueue.waiting === 0)
  const b = start()
  expect(await b.caches.cache('c').getOrLoad('k', never)).toBe('v')
  expect(b.caches.stats().undecodable).toBe(0)
})
