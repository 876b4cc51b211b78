/** A bus is about one store: its database, and what the store calls itself. */

import { inspect } from 'node:util'
import type { LimitRule, RateLimitProvider, RemoteStore } from '@larder/core/store'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../../../test/support/eventually.ts'
import { type RedisServer, startRedis } from '../../../../test/support/redis/redis-server.ts'
import {
  at,
  clients,
  freshNamespace,
  HARD,
  listen,
  openStore,
  put,
  type Recorder,
} from '../../testing/stage.ts'
import { redisLimits } from '../limits/redis-limits.ts'

const RULE: LimitRule = {
  limiter: 'api',
  policies: [{ name: 'exact', limit: 3, algorithm: 'exact', windowUs: 3_600_000_000 }],
  maxWaitUs: 0,
  penalty: false,
  blockUs: 0,
}

async function ownServer(args: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis({ args })
  onTestFinished(() => server.stop())
  return server
}

async function standing(url: string, namespace: string): Promise<[RemoteStore, Recorder]> {
  const store = openStore({ url }, namespace)
  const recorder = listen(store, namespace)
  await eventually('it is subscribed', () => recorder.states.includes('up'))
  return [store, recorder]
}

/** Sees to it that both have heard whatever was sent before. */
async function hear(from: RemoteStore, by: Recorder): Promise<void> {
  await eventually('it hears its own store', async () => {
    await from.evict([at('fence')], HARD)
    return by.messages.some(({ kind }) => kind === 'keys')
  })
}

function keysIn({ messages }: Recorder): readonly string[] {
  return messages.flatMap((message) => (message.kind === 'keys' ? message.keys : []))
}

describe('databases of one server', () => {
  it('do not hear of each other', async () => {
    const server = await ownServer()
    const namespace = freshNamespace()
    const [staging, inStaging] = await standing(`${server.url}/1`, namespace)
    const [production, inProduction] = await standing(server.url, namespace)
    await production.evict([at('p')], HARD)
    await staging.evict([at('s')], HARD)
    await staging.bumpTags(['t'], 0, 1_000)
    await hear(staging, inStaging)
    await hear(production, inProduction)
    expect(keysIn(inProduction)).not.toContain('c:s')
    expect(keysIn(inStaging)).not.toContain('c:p')
    expect(inProduction.messages.some(({ kind }) => kind === 'tags')).toBe(false)
  })

  it('do not, when one is a copy of the other', async () => {
    const server = await ownServer()
    const namespace = freshNamespace()
    const [production, inProduction] = await standing(server.url, namespace)
    await server.command('COPY', `{${namespace}:store}`, `{${namespace}:store}`, 'DB', 1)
    const [staging, inStaging] = await standing(`${server.url}/1`, namespace)
    await staging.evict([at('s')], HARD)
    await hear(staging, inStaging)
    await hear(production, inProduction)
    expect(keysIn(inProduction)).not.toContain('c:s')
  })

  it('that the server does not have are not database 0', async () => {
    const server = await ownServer()
    const store = openStore({ url: `${server.url}/99` })
    const error = await store.put(at('k'), put()).catch((reason: unknown) => reason)
    expect(String((error as Error).cause)).toMatch(/DB index is out of range/)
    expect(await server.command('KEYS', '*')).toEqual([])
  })
})

it('limits of one name in two databases are told nothing of each other', async () => {
  const server = await ownServer()
  const namespace = freshNamespace()
  const freed: string[] = []
  const [one, other] = [0, 1].map((database) => {
    const limits = redisLimits({ url: `${server.url}/${database}` })
    limits.open(namespace)
    limits.listener = {
      onFreed: (_, key) => void freed.push(`${database} ${key}`),
      onDoubt: () => undefined,
    }
    onTestFinished(() => limits.close())
    return limits
  }) as [RateLimitProvider, RateLimitProvider]
  for (const limits of [one, other]) {
    await limits.decide(RULE, [{ key: 'k', cost: 1, kind: 'take', permit: 'p' }])
  }
  await eventually('both listen', async () => {
    const channels = await server.command('PUBSUB', 'CHANNELS', `${namespace}:limits:*`)
    return (channels as unknown[]).length === 2
  })
  await one.reset(RULE, 'a')
  await other.reset(RULE, 'b')
  await eventually('each hears its own', () => freed.includes('0 a') && freed.includes('1 b'))
  expect(freed.sort()).toEqual(['0 a', '1 b'])
})

it.each<[string, (store: RemoteStore) => Promise<unknown>]>([
  ['put', (store) => store.put(at('k'), put())],
  ['evict', (store) => store.evict([at('k')], HARD)],
  ['bumpTags', (store) => store.bumpTags(['t'], 0, 1_000)],
])('the very first call, %s, is heard by those who were there', async (_, call) => {
  const server = await ownServer()
  const namespace = freshNamespace()
  const [, recorder] = await standing(`${server.url}/3`, namespace)
  await call(openStore({ url: `${server.url}/3` }, namespace))
  await eventually('it is heard', () => recorder.messages.length > 0)
})

describe('a client handed in', () => {
  it.each(Object.entries(clients))(
    'of %s keeps the database it has selected',
    async (_, Client) => {
      const server = await ownServer()
      const client = new Client({ port: server.port, host: '127.0.0.1' } as never)
      client.on('error', () => undefined)
      onTestFinished(() => client.disconnect())
      await client.select(5)
      const namespace = freshNamespace()
      const store = openStore({ client }, namespace)
      const recorder = listen(store, namespace)
      await store.put(at('k'), put())
      // Its owner's business from here on.
      await client.select(7)
      await eventually('it is subscribed', () => recorder.states.includes('up'))
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => undefined)
      await eventually('it writes again', () => store.put(at('l'), put()))
      const keyspace = String(await server.command('INFO', 'keyspace'))
      expect(keyspace).toMatch(/db5:keys=5,/)
      expect(keyspace).not.toMatch(/db0|db7/)
      await hear(store, recorder)
      const [channel] = (await server.command('PUBSUB', 'CHANNELS', `${namespace}:*`)) as string[]
      expect(String(channel)).toContain(`${namespace}:bus:5:`)
    },
  )

  it('keeps the database selected while it still connects', async () => {
    const server = await ownServer()
    const client = new Redis({ port: server.port, host: '127.0.0.1' })
    onTestFinished(() => client.disconnect())
    const selected = client.select(5)
    const store = openStore({ client })
    await store.put(at('k'), put())
    await selected
    expect(String(await server.command('INFO', 'keyspace'))).not.toMatch(/db0/)
  })
})

describe('a store that is another one than before', () => {
  it('is noticed at the next sync, when it lost everything', async () => {
    const server = await ownServer()
    const namespace = freshNamespace()
    const [one] = await standing(server.url, namespace)
    const [two, inTwo] = await standing(server.url, namespace)
    await server.command('FLUSHALL')
    await one.sync([1])
    await two.sync([1])
    await eventually('they hear of each other', async () => {
      await one.evict([at('k')], HARD)
      return keysIn(inTwo).includes('c:k')
    })
    expect(inTwo.states.filter((state) => state === 'up').length).toBeGreaterThan(1)
    await eventually('the old channel is left', async () => {
      const channels = await server.command('PUBSUB', 'CHANNELS', `${namespace}:bus:*`)
      return (channels as unknown[]).length === 1
    })
  })

  it('is noticed at the next sync, when databases are swapped', async () => {
    const server = await ownServer()
    const namespace = freshNamespace()
    const [one] = await standing(server.url, namespace)
    const [two, inTwo] = await standing(server.url, namespace)
    await standing(`${server.url}/1`, namespace)
    await server.command('SWAPDB', 0, 1)
    await one.sync([1])
    await two.sync([1])
    await eventually('they hear of each other', async () => {
      await one.evict([at('k')], HARD)
      return keysIn(inTwo).includes('c:k')
    })
  })

  it('keeps its name over a restart that keeps the data', async () => {
    const server = await ownServer()
    const namespace = freshNamespace()
    const [store, recorder] = await standing(server.url, namespace)
    const channels = (): Promise<unknown> =>
      server.command('PUBSUB', 'CHANNELS', `${namespace}:bus:*`)
    const before = await channels()
    recorder.states.length = 0
    await server.restart({ keepData: true })
    await eventually('it is subscribed again', () => recorder.states.includes('up'))
    await hear(store, recorder)
    expect(await channels()).toEqual(before)
  })
})

describe('a store that may not keep a name', () => {
  it('has a bus all the same, and a name as soon as it can', async () => {
    const server = await ownServer()
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', 1)
    const namespace = freshNamespace()
    const [one] = await standing(server.url, namespace)
    const [two, inTwo] = await standing(server.url, namespace)
    await expect(one.put(at('k'), put())).rejects.toMatchObject({ reason: 'replicas' })
    const doubt = { kind: 'doubt', keys: ['c:k'], tags: ['t'], isRepeated: false } as const
    await one.bus?.publish?.(doubt)
    await eventually('the other hears it', () => inTwo.messages.length > 0)
    expect(inTwo.messages).toEqual([doubt])
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', 0)
    await one.sync([1])
    await two.sync([1])
    await eventually('they hear of each other', async () => {
      await one.evict([at('l')], HARD)
      return keysIn(inTwo).includes('c:l')
    })
    expect(await server.command('EXISTS', `{${namespace}:store}`)).toBe(1)
  })
})

describe('a password', () => {
  it('that changes is taken from the client handed in at the next connection, and repeated nowhere', async () => {
    const server = await ownServer()
    await server.command('ACL', 'SETUSER', 'app', 'on', '>first-secret', '~*', '&*', '+@all')
    const client = new Redis({
      port: server.port,
      host: '127.0.0.1',
      username: 'app',
      password: 'first-secret',
      lazyConnect: true,
    })
    const store = openStore({ client })
    await store.put(at('k'), put())
    await server.command('ACL', 'SETUSER', 'app', 'resetpass', '>second-secret')
    await server.command('CLIENT', 'KILL', 'USER', 'app')
    let error: unknown
    await eventually('it is refused', async () => {
      error = await store.put(at('k'), put()).catch((reason: unknown) => reason)
      return /WRONGPASS/.test(String((error as Error).cause))
    })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/-secret/)
    client.options.password = 'second-secret'
    await eventually('it is taken', () => store.put(at('k'), put()))
  })

  it('that is missing is said', async () => {
    const server = await ownServer(['--requirepass', 'server-secret'])
    const store = openStore({ url: `redis://127.0.0.1:${server.port}` })
    const error = (await store.put(at('k'), put()).catch((reason: unknown) => reason)) as Error
    expect(String(error.cause)).toMatch(/NOAUTH/)
  })
})

describe('the bus', () => {
  it('is up only when the store can be asked', async () => {
    const server = await ownServer()
    const namespace = freshNamespace()
    const store = openStore({ url: server.url }, namespace)
    const answers: boolean[] = []
    store.bus?.subscribe(namespace, {
      onMessage: () => undefined,
      onUp: () => answers.push(store.ready === true),
      onDoubt: () => undefined,
      onDown: () => undefined,
      onGarbage: () => undefined,
    })
    for (let up = 1; up <= 6; up++) {
      await eventually('it is up', () => answers.length >= up)
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => undefined)
      await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    }
    expect(answers).not.toContain(false)
  })
})
