/** What is particular to this store: round trips, sizes, scripts the server forgot, clients handed in, closing. */

import { once } from 'node:events'
import type { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../../test/support/eventually.ts'
import { startProxy, type TcpProxy } from '../../../test/support/proxy/tcp-proxy.ts'
import { type RedisServer, startRedis } from '../../../test/support/redis/redis-server.ts'
import { sharedRedisUrl } from '../../../test/support/redis/shared-redis.ts'
import {
  at,
  claim,
  clients,
  entry,
  freshNamespace,
  HARD,
  HOUR_MS,
  headerOf,
  listen,
  openStore,
  put,
} from '../testing/stage.ts'
import { redisStore } from './redis-store.ts'

async function ownServer(args: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis({ args })
  onTestFinished(() => server.stop())
  return server
}

async function proxied(): Promise<TcpProxy> {
  const proxy = await startProxy({ port: Number(new URL(sharedRedisUrl()).port) })
  onTestFinished(() => proxy.stop())
  return proxy
}

describe('round trips', () => {
  it('is one for any number of reads, claims, fills or evictions of a tick, and for a sync', async () => {
    const proxy = await proxied()
    const store = openStore({ url: proxy.url })
    const partitions = Array.from({ length: 64 }, (_, id) => id)
    const keys = partitions.map((id) => at(`k${id}`, id))
    await store.sync(partitions)
    // The server may not know the scripts yet.
    const once = [claim(1), claim(2)].map((request, n) => store.claim(at(`warm-up ${n}`), request))
    await Promise.all([...once, store.fill(at('x'), 1, entry(), 1), store.evict([at('x')], HARD)])
    const counted = async (work: () => Promise<unknown>): Promise<number> => {
      proxy.resetCounters()
      await work()
      return proxy.roundTrips()
    }
    expect(await counted(() => store.sync(partitions))).toBe(1)
    expect(await counted(() => store.read(keys))).toBe(1)
    expect(await counted(() => store.readHeaders(keys))).toBe(1)
    const claims = () => Promise.all(keys.map((key) => store.claim(key, claim(7))))
    expect(await counted(claims)).toBe(1)
    const fills = () => Promise.all(keys.map((key) => store.fill(key, 7, entry(), HOUR_MS)))
    expect(await counted(fills)).toBe(1)
    expect(await counted(() => store.evict(keys, HARD))).toBe(1)
    expect(await store.read(keys)).toEqual(keys.map(() => undefined))
  })

  it('is two for a sync that finds nothing', async () => {
    const proxy = await proxied()
    const store = openStore({ url: proxy.url })
    await store.read([at('k')])
    proxy.resetCounters()
    const { heads } = await store.sync([1, 2, 3])
    expect(heads.every((head) => (head ?? 0) > 0)).toBe(true)
    // One more where the server does not know the scripts that create them.
    expect(proxy.roundTrips()).toBeLessThanOrEqual(3)
    proxy.resetCounters()
    await store.sync([4, 5, 6])
    expect(proxy.roundTrips()).toBe(2)
  })
})

describe('sizes', () => {
  it('reads thousands of keys, and headers, in order', async () => {
    const store = openStore({ url: sharedRedisUrl() })
    const keys = Array.from({ length: 1_201 }, (_, n) => at(`${n}`, n % 64))
    await Promise.all(
      keys.map((key, n) =>
        n % 3 === 0 ? undefined : store.put(key, put(entry({ commit: n + 1 }))),
      ),
    )
    for (const found of [await store.read(keys), await store.readHeaders(keys)]) {
      expect(found).toHaveLength(1_201)
      for (const [n, bytes] of found.entries()) {
        expect(bytes?.[9]).toBe(n % 3 === 0 ? undefined : (n + 1) % 256)
      }
    }
  })

  it('reads nothing for no keys', async () => {
    const store = openStore({ url: sharedRedisUrl() })
    expect(await store.read([])).toEqual([])
    expect(await store.readHeaders([])).toEqual([])
    expect((await store.sync([])).heads).toEqual([])
  })

  it('keeps eight megabytes, and reads only the header of them', async () => {
    const proxy = await proxied()
    const store = openStore({ url: proxy.url })
    const bytes = entry({ payload: Buffer.alloc(8 * 1024 * 1024, 7) })
    await store.put(at('big'), put(bytes))
    proxy.resetCounters()
    expect(await headerOf(store, at('big'))).toMatchObject({ commit: 1 })
    expect(proxy.bytes('to-client')).toBeLessThan(200)
    const [found] = await store.read([at('big')])
    expect(Buffer.compare(found?.subarray(60) ?? Buffer.alloc(0), bytes.subarray(60))).toBe(0)
  })

  it("takes at most 64 bytes more than the payload and Redis' own for a key (P11)", async () => {
    const server = await ownServer()
    const namespace = freshNamespace()
    const store = openStore({ url: server.url }, namespace)
    const payload = Buffer.alloc(400, 7)
    await store.put(at('k'), put(entry({ tags: [], payload })))
    const key = `{${namespace}:3}:c:k`
    const taken = Number(await server.command('MEMORY', 'USAGE', key))
    await server.command('SET', key, payload, 'PX', HOUR_MS)
    const plain = Number(await server.command('MEMORY', 'USAGE', key))
    expect(taken - plain).toBeLessThanOrEqual(64)
  })
})

describe('scripts', () => {
  it('come back after the server forgot them, single ones and many', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url })
    expect((await store.claim(at('a'), claim(1))).kind).toBe('granted')
    await server.command('SCRIPT', 'FLUSH')
    const replies = await Promise.all([
      store.claim(at('a'), claim(2)),
      store.claim(at('b'), claim(2)),
      store.put(at('c'), put()),
      store.evict([at('d')], HARD),
    ])
    expect(replies[0].kind).toBe('held')
    expect(replies[1].kind).toBe('granted')
    await server.command('SCRIPT', 'FLUSH')
    expect((await store.fill(at('b'), 2, entry(), HOUR_MS)).stored).toBe(true)
  })

  it('fail alone when they travel together', async () => {
    const server = await ownServer()
    const namespace = freshNamespace()
    const store = openStore({ url: server.url }, namespace)
    await server.command('SET', `{${namespace}:5}`, 'no log')
    const outcomes = await Promise.allSettled([
      store.evict([at('a', 4)], HARD),
      store.evict([at('a', 5)], HARD),
      store.evict([at('a', 6)], HARD),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('reject without what they carried', async () => {
    const proxy = await proxied()
    const store = openStore({ url: proxy.url })
    await store.sync([])
    proxy.failCommands({ error: 'ERR refused' })
    for (const call of [
      () => store.put(at('k'), put(entry({ payload: Buffer.from('secret') }))),
      () => store.read([at('k')]),
      () => store.readHeaders([at('k')]),
      () => store.sync([1]),
    ]) {
      const error = await call().then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error).toBeInstanceOf(Error)
      expect(Object.keys(error as Error)).toEqual([])
    }
  })
})

describe('what is foreign', () => {
  it('is no entry to a read, and spoils no others', async () => {
    const server = await ownServer()
    const namespace = freshNamespace()
    const store = openStore({ url: server.url }, namespace)
    await store.put(at('k'), put())
    await server.command('RPUSH', `{${namespace}:3}:c:list`, 'x')
    const keys = [at('list'), at('k')]
    expect((await store.read(keys)).map((bytes) => bytes?.[9])).toEqual([undefined, 1])
    expect((await store.readHeaders(keys)).map((bytes) => bytes?.[9])).toEqual([undefined, 1])
  })

  it('is not scanned: control keys, other namespaces, keys that only look alike', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url }, 'shop')
    const twin = openStore({ url: server.url }, 'shop2')
    await store.put({ partition: 1, key: 'c:[1]*' }, put())
    await store.put({ partition: 64, key: 'c:[1]*x' }, put())
    await store.put({ partition: 2, key: 'c:1' }, put())
    await store.put({ partition: 2, key: 'x}:c:[1]*' }, put())
    await store.bumpTags(['t'], 0, HOUR_MS)
    await twin.put({ partition: 1, key: 'c:[1]*' }, put())
    await server.command('SET', '{shop:locks}:c:[1]*', 'x')
    const found: string[] = []
    for await (const keys of store.scan('c:[1]*')) found.push(...keys)
    expect(found.sort()).toEqual(['c:[1]*', 'c:[1]*x'])
  })
})

describe.each(Object.entries(clients))('a client of %s that is handed in', (_, Client) => {
  const handIn = async (settings: object = {}): Promise<Redis> => {
    const url = new URL(sharedRedisUrl())
    const client = new Client({
      ...{ host: url.hostname, port: Number(url.port) },
      ...settings,
    } as never)
    client.on('error', () => undefined)
    onTestFinished(() => client.disconnect())
    await once(client, 'ready')
    return client
  }

  it('is left as it is: its settings, its listeners, its connection', async () => {
    const client = await handIn({ maxRetriesPerRequest: 3, keyPrefix: 'p:' })
    const listeners = () =>
      client.eventNames().map((name) => [name, client.listenerCount(name)] as const)
    const before = { options: { ...client.options }, listeners: listeners() }
    for (let n = 0; n < 12; n++) {
      const namespace = freshNamespace()
      const store = redisStore({ client })
      store.open(namespace)
      const recorder = listen(store, namespace)
      await store.put(at('k'), put())
      await eventually('it is subscribed', () => recorder.states.includes('up'))
      await store.close()
    }
    expect(listeners()).toEqual(before.listeners)
    expect({ ...client.options }).toEqual(before.options)
    expect(client.status).toBe('ready')
    expect(await client.ping()).toBe('PONG')
  })

  it('has no say in how replies, keys and deadlines are', async () => {
    const client = await handIn({
      keyPrefix: 'p:',
      stringNumbers: true,
      enableAutoPipelining: true,
      commandTimeout: 5_000,
      socketTimeout: 5_000,
      readOnly: false,
      scripts: { larder: { lua: 'return 1', numberOfKeys: 0 } },
    })
    const namespace = freshNamespace()
    const store = openStore({ client }, namespace)
    const recorder = listen(store, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    expect((await store.claim(at('k'), claim(1))).kind).toBe('granted')
    expect((await store.fill(at('k'), 1, entry(), HOUR_MS)).stored).toBe(true)
    const plain = openStore({ url: sharedRedisUrl() }, namespace)
    expect(await headerOf(plain, at('k'))).toMatchObject({ commit: 1 })
    const found: string[] = []
    for await (const keys of store.scan('c:')) found.push(...keys)
    expect(found).toEqual(['c:k'])
    await store.evict([at('k')], HARD)
    await eventually('its message arrives', () => recorder.messages.length > 0)
    expect((await store.sync([3])).heads[0]).toBeGreaterThan(0)
  })

  it('may be closed by its owner: the store goes on', async () => {
    const client = await handIn()
    const store = openStore({ client })
    await store.put(at('k'), put())
    client.disconnect()
    await once(client, 'end')
    expect(await headerOf(store, at('k'))).toMatchObject({ commit: 1 })
  })
})

describe('a URL', () => {
  it('may carry credentials, a database and options, but not ours', async () => {
    const server = await ownServer(['--requirepass', 'hunter2'])
    const url = `${server.url}/3?enableOfflineQueue=true&lazyConnect=&commandTimeout=1`
    const store = openStore({ url }, 'shop')
    await store.put(at('k'), put())
    const keys = String(await server.command('INFO', 'keyspace'))
    expect(keys).toMatch(/db3:keys=4/)
    expect(await headerOf(store, at('k'))).toMatchObject({ commit: 1 })
  })

  it('with a wrong password fails without repeating it', async () => {
    const server = await ownServer(['--requirepass', 'hunter2'])
    const store = openStore({ url: `redis://:hunter3@127.0.0.1:${server.port}` })
    const error = await store.read([at('k')]).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LARDER_STORE_UNAVAILABLE' })
    const { cause } = error as Error
    expect(String(cause)).toMatch(/WRONGPASS/)
    expect(JSON.stringify([error, cause, { ...(cause as object) }])).not.toMatch(/hunter3/)
  })
})

describe('closing', () => {
  it('rejects what comes after it, and can be repeated', async () => {
    const store = redisStore({ url: sharedRedisUrl() })
    store.open(freshNamespace())
    await store.put(at('k'), put())
    await Promise.all([store.close(), store.close()])
    await store.close()
    await expect(store.read([at('k')])).rejects.toMatchObject({ code: 'LARDER_STORE_UNAVAILABLE' })
    await expect(store.claim(at('k'), claim(1))).rejects.toThrow()
    expect(store.ready).toBe(false)
  })

  it('settles what is pending, and leaves no connection', async () => {
    const proxy = await proxied()
    const namespace = freshNamespace()
    const store = redisStore({ url: proxy.url })
    store.open(namespace)
    const recorder = listen(store, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    await store.sync([])
    expect(proxy.openConnections()).toBe(2)
    proxy.freeze('to-client')
    const pending = store.read([at('k')]).catch((reason: unknown) => reason)
    await store.close()
    expect(await pending).toBeInstanceOf(Error)
    proxy.thaw()
    await eventually('both connections are gone', () => proxy.openConnections() === 0)
    expect(recorder.states).not.toContain('down')
  })

  it('works before anything was opened, and while it connects', async () => {
    await redisStore({ url: sharedRedisUrl() }).close()
    const proxy = await proxied()
    proxy.blackhole(true)
    const store = redisStore({ url: proxy.url })
    store.open(freshNamespace())
    const pending = store.read([at('k')]).catch((reason: unknown) => reason)
    await eventually('it connects', () => proxy.connections() > 0)
    await store.close()
    expect(await pending).toMatchObject({ code: 'LARDER_STORE_UNAVAILABLE' })
  })
})

it('claims everything there is to claim: what it does not claim, no suite asks of it', () => {
  expect(openStore({ url: sharedRedisUrl() }).capabilities).toEqual({
    leases: true,
    sequences: true,
    tags: true,
    publishes: true,
    scans: true,
  })
})

it('asks nothing before it is opened', async () => {
  const store = redisStore({ url: sharedRedisUrl() })
  await expect(store.read([at('k')])).rejects.toThrow(/not open/)
  await expect(store.put(at('k'), put())).rejects.toThrow(/not open/)
  await store.close()
})
