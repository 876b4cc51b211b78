import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { startCluster } from '../redis/redis-cluster.ts'
import { type RedisServer, startRedis } from '../redis/redis-server.ts'
import { startProxies } from './proxy-fleet.ts'
import { startProxy, type TcpProxy } from './tcp-proxy.ts'

describe('a proxy in front of Redis', () => {
  let redis: RedisServer
  let proxy: TcpProxy
  let clients: Redis[]

  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(async () => {
    proxy = await startProxy(redis)
    clients = []
    await redis.command('FLUSHALL')
  })
  afterEach(async () => {
    for (const client of clients) client.disconnect()
    await proxy.stop()
  })

  function open(options: Omit<RedisOptions, 'replyMapping'> = {}): Redis {
    const client = new Redis(proxy.url, {
      retryStrategy: () => 10,
      disableClientInfo: true,
      ...options,
    })
    client.on('error', () => {})
    clients.push(client)
    return client
  }

  /** Hears all messages; `heard` is what arrived. */
  async function subscribe(protocol: 2 | 3): Promise<{ heard: string[]; subscriber: Redis }> {
    const subscriber = open({ protocol })
    const heard: string[] = []
    subscriber.on('message', (channel, message) => heard.push(`${channel} ${message}`))
    subscriber.on('pmessage', (_pattern, channel, message) => heard.push(`${channel} ${message}`))
    await subscriber.subscribe('bus', 'chat')
    await subscriber.psubscribe('p*')
    return { heard, subscriber }
  }

  it.each([2, 3] as const)('passes everything on unchanged (RESP%i)', async (protocol) => {
    const client = open({ protocol })
    const value = randomBytes(3 * 2 ** 20)
    await client.set('binary', value)
    expect((await client.getBuffer('binary'))?.equals(value)).toBe(true)
    const replies = await client
      .pipeline()
      .set('a', '1')
      .get('a')
      .lrange('none', 0, -1)
      .hgetall('none')
      .exec()
    expect(replies?.map(([, reply]) => reply)).toEqual(['OK', '1', [], {}])
    expect(await client.multi().incr('n').incr('n').exec()).toEqual([
      [null, 1],
      [null, 2],
    ])
    await expect(client.incr('binary')).rejects.toThrow('not an integer')
    const { heard } = await subscribe(protocol)
    await redis.command('PUBLISH', 'bus', 'hello')
    await redis.command('PUBLISH', 'px', 'pattern')
    await eventually('both messages arrive', () => heard.length === 2)
    expect(heard).toEqual(['bus hello', 'px pattern'])
  })

  it('counts commands and round trips, not packets', async () => {
    const client = open()
    await client.ping()
    proxy.resetCounters()
    await client.get('a')
    await client.get('b')
    expect([proxy.commands(), proxy.roundTrips()]).toEqual([2, 2])
    await Promise.all([client.get('a'), client.get('b'), client.mget('c', 'd')])
    expect([proxy.commands(), proxy.roundTrips()]).toEqual([5, 3])
    await client.pipeline().get('a').get('b').exec()
    expect([proxy.commands(), proxy.roundTrips()]).toEqual([7, 4])
    expect(proxy.latestCommands()).toEqual(['GET', 'GET', 'GET', 'GET', 'MGET', 'GET', 'GET'])
    expect(proxy.bytes('to-server')).toBeGreaterThan(7 * 20)
    expect(proxy.openConnections()).toBe(1)
  })

  it.each([2, 3] as const)(
    'counts a subscription as one round trip and messages as none (RESP%i)',
    async (protocol) => {
      const { heard, subscriber } = await subscribe(protocol)
      proxy.resetCounters()
      await subscriber.subscribe('x', 'y', 'z')
      await redis.command('PUBLISH', 'bus', 'm')
      await eventually('the message arrives', () => heard.length === 1)
      await subscriber.unsubscribe('x', 'y')
      await subscriber.ping()
      expect([proxy.commands(), proxy.roundTrips()]).toEqual([3, 3])
    },
  )

  it('cuts connections and takes the client back', async () => {
    const client = open()
    await client.ping()
    proxy.cut()
    await eventually('the client notices', () => client.status !== 'ready')
    expect(await client.ping()).toBe('PONG')
    expect(proxy.connections()).toBe(2)
  })

  it('refuses connections as a dead port does, and leaves open ones alone', async () => {
    const client = open()
    await client.ping()
    await proxy.refuse(true)
    expect(await client.ping()).toBe('PONG')
    const late = connect(proxy.port, proxy.host)
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
    await proxy.refuse(false)
    expect(await open().ping()).toBe('PONG')
  })

  it('swallows everything while it is a black hole, and starts afresh afterwards', async () => {
    const client = open()
    await client.ping()
    proxy.blackhole(true)
    const lost = client.set('a', '1').catch((error: Error) => error)
    const late = open({ connectTimeout: 500 })
    await eventually('the second connection is accepted', () => proxy.openConnections() === 2)
    expect(client.status).toBe('ready')
    expect(late.status).not.toBe('ready')
    expect(await redis.command('GET', 'a')).toBeNull()
    proxy.blackhole(false)
    // ioredis sends it again after the reset.
    expect(await lost).toBe('OK')
    expect(await late.ping()).toBe('PONG')
  })

  it('swallows one direction only', async () => {
    const client = open({ autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 })
    await client.ping()
    const roundTrips = proxy.roundTrips()
    proxy.blackhole(true, 'to-client')
    const lost = client.set('a', '1').catch((error: Error) => error)
    await eventually('the reply is swallowed', () => proxy.roundTrips() > roundTrips)
    expect(await redis.command('GET', 'a')).toBe('1')
    proxy.blackhole(false)
    expect(await lost).toBeInstanceOf(Error)
  })

  it('silences open connections while new ones work', async () => {
    const client = open()
    await client.ping()
    proxy.silence()
    let hasAnswered = false
    client.ping().then(
      () => {
        hasAnswered = true
      },
      () => {},
    )
    expect(await open().ping()).toBe('PONG')
    expect(hasAnswered).toBe(false)
    await proxy.heal()
    await eventually('it reconnects', () => hasAnswered)
  })

  it('holds back what is frozen and delivers it in order when thawed', async () => {
    const client = open()
    await client.ping()
    proxy.freeze('to-client')
    const replies = Promise.all([
      client.rpush('l', 'a'),
      client.rpush('l', 'b'),
      client.lrange('l', 0, -1),
    ])
    await eventually('the commands arrive', async () => (await redis.command('LLEN', 'l')) === 2)
    proxy.thaw()
    expect(await replies).toEqual([1, 2, ['a', 'b']])
  })

  it('delays each direction and keeps the order', async () => {
    const client = open()
    await client.ping()
    proxy.delay(40)
    const startedAt = performance.now()
    const replies = Promise.all(Array.from({ length: 20 }, () => client.incr('n')))
    expect(await replies).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(performance.now() - startedAt).toBeGreaterThan(79)
    proxy.delay(0)
  })

  it.each(['hang', 'reset'] as const)(
    'loses the reply of a command that was executed (%s)',
    async (then) => {
      const client = open({
        commandTimeout: 300,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
      })
      await client.ping()
      proxy.dropReplies({
        match: ({ name, args }) => name === 'SET' && args[0] === 'a',
        then,
        times: 1,
      })
      const [before, lost, after] = await Promise.allSettled([
        client.incr('n'),
        client.set('a', '1'),
        client.get('b'),
      ])
      expect(before).toEqual({ status: 'fulfilled', value: 1 })
      expect([lost?.status, after?.status]).toEqual(['rejected', 'rejected'])
      expect(await redis.command('GET', 'a')).toBe('1')
      expect(await open().set('a', '2')).toBe('OK')
    },
  )

  it('answers with an error in the place of the server, in order', async () => {
    const client = open()
    await client.ping()
    const end = proxy.failCommands({
      match: ({ name }) => name === 'SET',
      error: 'OOM command not allowed',
    })
    const replies = await client.pipeline().incr('n').set('a', '1').incr('n').exec()
    expect(replies?.map(([error, reply]) => error?.message ?? reply)).toEqual([
      1,
      'OOM command not allowed',
      2,
    ])
    expect(await redis.command('GET', 'a')).toBeNull()
    end()
    expect(await client.set('a', '1')).toBe('OK')
  })

  it.each([2, 3] as const)(
    'loses messages of one channel on a healthy connection (RESP%i)',
    async (protocol) => {
      const { heard, subscriber } = await subscribe(protocol)
      const end = proxy.dropMessages(
        ({ channel, payload }) => channel === 'bus' || payload.includes('secret'),
      )
      for (const [channel, text] of [
        ['bus', 'lost'],
        ['chat', 'one'],
        ['pa', 'secret'],
        ['pb', 'two'],
      ] as const) {
        await redis.command('PUBLISH', channel, text)
      }
      await eventually('the others arrive', () => heard.length === 2)
      expect(heard).toEqual(['chat one', 'pb two'])
      expect(proxy.messagesDropped()).toBe(2)
      expect(await subscriber.ping()).toBeTruthy()
      end()
      await redis.command('PUBLISH', 'bus', 'found')
      await eventually('the channel is back', () => heard.includes('bus found'))
    },
  )

  it.each([2, 3] as const)('does not take a list for a message (RESP%i)', async (protocol) => {
    const client = open({ protocol })
    proxy.dropMessages()
    await client.rpush('l', 'message', 'bus', 'payload')
    expect(await client.lrange('l', 0, -1)).toEqual(['message', 'bus', 'payload'])
  })

  it('passes the end of a server on', async () => {
    await using server = await startRedis()
    await using front = await startProxy(server.port)
    const client = new Redis(front.url, { retryStrategy: () => 10 })
    client.on('error', () => {})
    await client.ping()
    await server.kill()
    await eventually('the client notices', () => client.status !== 'ready')
    await server.restart()
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
    await eventually('nothing is left open', () => front.openConnections() === 0)
  })
})

it('leads a cluster client through a proxy per node', async () => {
  await using cluster = await startCluster()
  await using fleet = await startProxies(cluster.nodes)
  const client = new Cluster([...fleet.startupNodes], { natMap: fleet.natMap })
  const keys = Array.from({ length: 30 }, (_, index) => `key:${index}`)
  await Promise.all(keys.map((key) => client.set(key, key)))
  expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys)
  const through = fleet.proxies.map(
    (proxy) => proxy.latestCommands().filter((name) => name === 'GET').length,
  )
  expect(through.reduce((sum, count) => sum + count)).toBe(30)
  expect(fleet.proxyOf(cluster.nodes[1] as RedisServer)).toBe(fleet.proxies[1])
  client.disconnect()
})
