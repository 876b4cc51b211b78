/** Fleet statistics of managers on a real Redis: what they cost, and that nothing suffers from them. */

import { createCacheManager, type Fleet, InvalidOptionError } from '@larder/core'
import { ManualClock } from '@larder/core/testing'
import { fromKeyv } from '@larder/keyv-store'
import { lruStore } from '@larder/local-store'
import { msgpackCodec, redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import Keyv from 'keyv'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode } from '../support/nodes.ts'
import { startProxy } from '../support/proxy/tcp-proxy.ts'
import { startRedis } from '../support/redis/redis-server.ts'

const FAST = { every: '1s' } as const
const keysOf = (namespace: string) => [`{${namespace}:nodes}`, `{${namespace}:nodes}:heartbeats`]

function connect(url = inject('redisUrl')): Redis {
  const redis = new Redis(url)
  onTestFinished(() => redis.disconnect())
  return redis
}

const idsIn = ({ nodes }: Fleet): readonly string[] => nodes.map(({ id }) => id)

describe('a manager with `fleet`', () => {
  it('is there without a cache ever being used, and a manager without it is not', async () => {
    const namespace = freshNamespace()
    const quiet = startNode({ namespace })
    startNode({ namespace, fleet: true })
    const fleet = await eventually('it is there', async () => {
      const seen = await quiet.caches.fleet()
      return seen.nodes.length > 0 ? seen : undefined
    })
    expect(fleet.nodes).toHaveLength(1)
    expect(fleet.self).toBeNull()
  })

  it('is a node of its own beside another one of the process', async () => {
    const namespace = freshNamespace()
    const one = startNode({ namespace, fleet: { name: 'one' } })
    const two = startNode({ namespace, fleet: { name: 'two', host: false } })
    const fleet = await eventually('both are there', async () => {
      const seen = await one.caches.fleet()
      return seen.nodes.length === 2 ? seen : undefined
    })
    expect(fleet.nodes.map(({ name, pid, host }) => [name, pid, host === null])).toEqual([
      ['one', process.pid, false],
      ['two', process.pid, true],
    ])
    await two.caches.close()
    expect(idsIn(await one.caches.fleet())).toEqual([fleet.self])
  })

  it('costs one command for each heartbeat, of bounded length', async () => {
    await using server = await startRedis()
    await using proxy = await startProxy(server.port)
    const clock = new ManualClock()
    const { caches } = startNode({
      remote: redisStore({ url: proxy.url, pingEvery: '1h' }),
      clock,
      fleet: true,
    })
    const redis = connect(server.url)
    const keys = keysOf(caches.namespace)
    const beats = async (): Promise<number> => {
      const stats = await redis.info('commandstats')
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)
    }
    clock.advance(0)
    await eventually('the first one has come', async () => (await beats()) > 0)
    await eventually('it is kept', async () => (await redis.exists(...keys)) === 2)
    for (let i = 0; i < 6; i++) {
      const before = await beats()
      proxy.resetCounters()
      await eventually('another one has come', async () => {
        if ((await beats()) > before) return true
        clock.advance(1_000)
        return false
      })
      const sent = (await beats()) - before
      await eventually('it is answered', () => proxy.roundTrips() >= sent)
      // Behind the first ones there may be the check of rights.
      if (i > 1) expect(proxy.roundTrips()).toBe(sent)
    }
    const [report = ''] = await redis.hvals(keys[1] ?? '')
    expect(Buffer.byteLength(report)).toBeLessThan(2_000)
  })

  it('leaves nothing behind when it closes, not even during its first heartbeat', async () => {
    const redis = connect()
    for (let turn = 0; turn < 20; turn++) {
      const namespace = freshNamespace()
      const { caches } = startNode({ namespace, fleet: FAST })
      // Before, during and after it, as it happens.
      for (let i = 0; i < turn; i++) await new Promise((resolve) => setImmediate(resolve))
      await caches.close()
      expect(await redis.exists(...keysOf(namespace))).toBe(0)
    }
  })

  it('has keys that end by themselves, and no others', async () => {
    const redis = connect()
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace, fleet: FAST })
    await eventually('it is there', async () => (await caches.fleet()).nodes.length === 1)
    expect((await redis.keys(`{${namespace}:*`)).sort()).toEqual(keysOf(namespace))
    for (const key of keysOf(namespace)) {
      const leftMs = await redis.pttl(key)
      expect(leftMs).toBeGreaterThan(0)
      expect(leftMs).toBeLessThanOrEqual(3_000)
    }
  })

  it('stays when everything is evicted', async () => {
    const { caches } = startNode({ fleet: true })
    await eventually('it is there', async () => (await caches.fleet()).nodes.length === 1)
    await caches.cache('c').set('k', 'v')
    await caches.clear()
    await caches.cache('c').evictPattern('*')
    expect((await caches.fleet()).nodes).toHaveLength(1)
  })

  it('says nothing of keys, tags, values, errors, and how Redis is reached', async () => {
    await using server = await startRedis({ args: ['--requirepass', 'secret-password'] })
    const { caches } = startNode({ url: server.url, fleet: FAST })
    const cache = caches.cache<string>('c')
    await cache.getOrLoad('secret-key', async () => 'secret-value', { tags: ['secret-tag'] })
    await cache.evict('secret-key')
    await caches.evictTags(['secret-tag'])
    const failed = cache.getOrLoad('secret-key', async () => {
      throw new Error('secret-error')
    })
    await failed.catch(() => undefined)
    await caches.locks.run('secret-lock', {}, async () => undefined)
    await caches.limiter({ limit: 1, per: '1h', name: 'l' }).consume('secret-user')
    await eventually('it has said so', async () => {
      const { total } = await caches.fleet()
      return total.loadErrors === 1 && total.tagEvictions === 1
    })
    const reports = await connect(server.url).hvals(keysOf(caches.namespace)[1] ?? '')
    expect(reports).toHaveLength(1)
    expect(reports[0]).not.toMatch(/secret|127\.0\.0\.1|redis:\/\//)
  })
})

describe('where Redis', () => {
  it('is away, it is quiet; when Redis is back, so is the node', async () => {
    await using server = await startRedis()
    const lines: string[] = []
    const note = (line: string): void => void lines.push(line)
    const { caches, seen } = startNode({
      url: server.url,
      fleet: FAST,
      logger: { info: note, warn: note, error: note },
    })
    await eventually('it is there', async () => (await caches.fleet()).nodes.length === 1)
    await server.kill()
    const failure = await eventually('nobody can be asked', () =>
      caches.fleet().then(
        () => undefined,
        (error: Error) => error,
      ),
    )
    expect(failure).toBeInstanceOf(Error)
    // A read does as without the store.
    expect(await caches.cache<string>('c', { remote: false }).getOrLoad('k', async () => 'v')).toBe(
      'v',
    )
    // What is told of is the poll that the read has started.
    expect(seen('store-error').filter(({ operation }) => operation !== 'sync')).toEqual([])
    expect(seen('background-error')).toEqual([])
    expect(lines.filter((line) => /fleet|heartbeat/.test(line))).toEqual([])
    await server.start()
    await eventually(
      'it is back',
      async () => {
        const fleet = await caches.fleet().catch(() => undefined)
        return fleet?.nodes.length === 1
      },
      60_000,
    )
  })

  it('was away from the beginning, the node appears when it comes', async () => {
    await using server = await startRedis()
    await server.kill()
    const { caches } = startNode({ url: server.url, fleet: FAST })
    await expect(caches.fleet()).rejects.toThrow()
    await server.start()
    await eventually(
      'it is there',
      async () => {
        const fleet = await caches.fleet().catch(() => undefined)
        return fleet?.nodes.length === 1
      },
      60_000,
    )
  })

  it('hangs, closing does not', async () => {
    await using server = await startRedis()
    const { caches } = startNode({ url: server.url, fleet: FAST })
    await eventually('it is there', async () => (await caches.fleet()).nodes.length === 1)
    await server.pause()
    await caches.close()
    await server.resume()
  })

  it('has something else under the key, nothing but the fleet fails', async () => {
    const namespace = freshNamespace()
    await connect().set(keysOf(namespace)[0] ?? '', 'something else')
    const { caches, seen } = startNode({ namespace, fleet: FAST })
    await expect(caches.fleet()).rejects.toThrow('WRONGTYPE')
    expect(await caches.cache<string>('c').getOrLoad('k', async () => 'v')).toBe('v')
    await caches.close()
    expect(seen('background-error')).toEqual([])
  })

  it('forgets everything, the nodes are there again with all that they have counted', async () => {
    await using server = await startRedis()
    const { caches } = startNode({ url: server.url, fleet: FAST })
    await caches.cache<string>('c').getOrLoad('k', async () => 'v')
    const isThere = async (): Promise<boolean> => (await caches.fleet()).total.loads === 1
    await eventually('it is there', isThere)
    await server.command('FLUSHALL')
    await eventually('it is there again', isThere)
  })

  it('refuses a command to the user, that is told once, and the cache goes on', async () => {
    await using server = await startRedis()
    const rules = ['on', '>secret', '~*', '&*', '+@all', '-hset']
    await server.command('ACL', 'SETUSER', 'app', ...rules)
    const url = `redis://app:secret@127.0.0.1:${server.port}`
    const { caches } = startNode({ url, fleet: FAST })
    await eventually('it is told', () => (caches.status().store?.troubles.length ?? 0) > 0)
    expect(caches.status().store?.troubles).toEqual([expect.stringContaining('commands hset')])
    expect(await caches.cache<string>('c').getOrLoad('k', async () => 'v')).toBe('v')
    expect((await caches.fleet()).nodes).toEqual([])
  })
})

describe('without a shared store', () => {
  it('the managers of the process see each other', async () => {
    const namespace = freshNamespace()
    const make = (name: string) =>
      startNode({ namespace, remote: undefined, fleet: { name } }).caches
    const [one, two] = [make('one'), make('two')]
    await one.cache<string>('c').getOrLoad('k', async () => 'v')
    const fleet = await eventually('both are there', async () => {
      const seen = await two.fleet()
      return seen.nodes.length === 2 ? seen : undefined
    })
    expect(fleet.nodes.map(({ name, status }) => [name, status.state])).toEqual([
      ['one', 'in-process'],
      ['two', 'in-process'],
    ])
    await one.close()
    expect((await two.fleet()).nodes.map(({ name }) => name)).toEqual(['two'])
  })

  it('a manager that is switched off has an empty fleet', async () => {
    const off = { namespace: freshNamespace(), enabled: false, fleet: true, default: false }
    const caches = createCacheManager({ ...off, remote: redisStore({ url: inject('redisUrl') }) })
    onTestFinished(() => caches.close())
    expect(await caches.fleet()).toMatchObject({ nodes: [], unreadable: 0, self: null })
  })

  it('a store that keeps no heartbeats is refused at once, and may be used by the next manager', async () => {
    const remote = fromKeyv(new Keyv())
    const options = { namespace: freshNamespace(), default: false, remote, codec: msgpackCodec }
    expect(() => createCacheManager({ ...options, fleet: true })).toThrow(
      /createCacheManager\.fleet takes a store that keeps heartbeats.*but got the store keyv/,
    )
    const caches = createCacheManager(options)
    onTestFinished(() => caches.close())
    await expect(caches.fleet()).rejects.toThrow(InvalidOptionError)
  })

  it.each<[string, object]>([
    ['there is no store', {}],
    [
      'the local one would know this process only',
      { local: lruStore(), remote: fromKeyv(new Keyv()), codec: msgpackCodec },
    ],
  ])('is refused where %s', (_, stores) => {
    const options = { namespace: freshNamespace(), default: false, fleet: true, ...stores }
    expect(() => createCacheManager(options)).toThrow(InvalidOptionError)
  })
})

it('a closed manager has no fleet', async () => {
  const { caches } = startNode({ fleet: true })
  await caches.close()
  await expect(caches.fleet()).rejects.toMatchObject({ code: 'LARDER_CLOSED' })
})
