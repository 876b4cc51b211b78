/** Sessions on a Redis in trouble: nobody is logged out by it, nobody is let in by it, and it ends without a restart. */

import { promisify } from 'node:util'
import { SessionUnavailableError } from '@larder/core'
import { expressStore } from '@larder/plugins/sessions/express'
import { redisStore } from '@larder/redis-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { APPS, Browser } from './support/apps.ts'
import { openSessions, type Stage } from './support/stage.ts'

const ROOM_MS = 30_000

async function setUp(args: readonly string[] = []): Promise<Stage & { redis: RedisServer }> {
  const redis = await startRedis({ args: [...args] })
  onTestFinished(() => redis.stop())
  const stage = openSessions('on Redis', {
    remote: redisStore({ url: redis.url, pingEvery: '200ms' }),
    options: { storeTimeout: '300ms' },
  })
  return { ...stage, redis }
}

const OUTAGES: Readonly<Record<string, (redis: RedisServer) => Promise<unknown>>> = {
  'a server that is gone': (redis) => redis.kill(),
  'a server that hangs': (redis) => redis.pause(),
}

describe.each(Object.entries(OUTAGES))('with %s', (_, breakIt) => {
  it('every call says that the store cannot say, and never that there is no session', async () => {
    const { sessions, redis } = await setUp()
    const { id } = await sessions.login(undefined, 'ada')
    await breakIt(redis)
    const calls = [
      () => sessions.get(id),
      () => sessions.save(id, {}),
      () => sessions.touch(id),
      () => sessions.update(id, (data) => data),
      () => sessions.destroy(id),
      () => sessions.destroyAll('ada'),
      () => sessions.list('ada'),
      () => sessions.login(id, 'ada'),
      () => sessions.create({}),
    ]
    for (const call of [...calls, ...calls])
      await expect(call()).rejects.toThrow(SessionUnavailableError)
    const store = expressStore(sessions)
    for (const call of [store.all, store.length, store.clear])
      await expect(promisify(call.bind(store) as (end: () => void) => void)()).rejects.toThrow(
        SessionUnavailableError,
      )
    // What nobody can have made is no question for the store.
    expect(await sessions.get('rubbish')).toBeUndefined()
  })
})

describe.each(Object.entries(APPS))('%s without its store', (_, start) => {
  it('answers with an error and leaves the cookie alone; afterwards the user is still logged in', async () => {
    const { sessions, redis } = await setUp()
    const { url } = await start(sessions)
    const browser = new Browser(url)
    await browser.send('POST', '/login/ada')
    const cookie = browser.cookies.get('sid')
    await redis.pause()
    expect((await browser.send('GET', '/me')).status).toBe(500)
    expect(browser.cookies.get('sid')).toBe(cookie)
    await redis.resume()
    await eventually(
      'the store is asked again',
      async () => (await browser.send('GET', '/me')).status === 200,
      ROOM_MS,
    )
    expect(await browser.body('GET', '/me')).toBe('ada')
  })
})

it('sessions last over a restart of a server that keeps its data, and a logout does, too', async () => {
  const { sessions, redis } = await setUp()
  const [kept, ended] = [await sessions.login(undefined, 'ada'), await sessions.create({})]
  await sessions.destroy(ended.id)
  await redis.restart({ keepData: true })
  await eventually(
    'the store answers',
    async () => (await sessions.get(kept.id).catch(() => undefined)) !== undefined,
    ROOM_MS,
  )
  expect(await sessions.get(ended.id)).toBeUndefined()
  expect(await sessions.save(ended.id, {})).toBe(false)
  expect(await sessions.destroyAll('ada')).toBe(1)
})

it('begin anew after a server has lost everything', async () => {
  const { sessions, redis } = await setUp()
  const { id } = await sessions.login(undefined, 'ada')
  await redis.kill()
  await redis.restart()
  await eventually(
    'the store answers',
    () => sessions.list('ada').then(Boolean, () => false),
    ROOM_MS,
  )
  expect(await sessions.get(id)).toBeUndefined()
  expect(await sessions.save(id, {})).toBe(false)
  expect(await sessions.get((await sessions.login(id, 'ada')).id)).toBeDefined()
})

it('are ended by FLUSHALL, and leave nothing half there', async () => {
  const { sessions, redis } = await setUp()
  const [one, moved] = [await sessions.login(undefined, 'ada'), await sessions.create({})]
  await sessions.save(moved.id, { userId: 'ada' })
  await redis.command('FLUSHALL')
  for (const { id } of [one, moved]) {
    expect(await sessions.get(id)).toBeUndefined()
    expect(await sessions.save(id, { userId: 'ada' })).toBe(false)
  }
  expect(await sessions.list('ada')).toEqual([])
  const next = await sessions.login(one.id, 'ada')
  expect((await sessions.list('ada')).map(({ id }) => id)).toEqual([next.id])
})

it('end where the server drops what a user’s sessions are listed in', async () => {
  const { sessions, redis } = await setUp()
  const { id } = await sessions.login(undefined, 'ada')
  const keys = (await redis.command('KEYS', '{*:session:web:u*')) as string[]
  const list = keys.find((key) => key.endsWith('}')) ?? ''
  expect(await redis.command('DEL', list)).toBe(1)
  expect(await sessions.get(id)).toBeUndefined()
  expect(await sessions.save(id, {})).toBe(false)
  expect(await sessions.get((await sessions.login(id, 'ada')).id)).toBeDefined()
})

it('a key that holds something else is trouble of its session alone', async () => {
  const { sessions, redis } = await setUp()
  const [one, other] = [await sessions.create({}), await sessions.create({})]
  const [tag, when, secret] = one.id.split('~')
  const keys = (await redis.command('KEYS', `*${tag}}:${when}~${secret}`)) as string[]
  await redis.command('DEL', ...keys)
  await redis.command('RPUSH', keys[0] ?? '', 'x')
  for (let n = 0; n < 5; n++)
    await expect(sessions.get(one.id)).rejects.toThrow(SessionUnavailableError)
  await redis.command('DEL', ...keys)
  await redis.command('SET', keys[0] ?? '', 'rubbish')
  for (let n = 0; n < 5; n++)
    await expect(sessions.get(one.id)).rejects.toThrow(SessionUnavailableError)
  expect(await sessions.get(other.id)).toBeDefined()
  // Ending it clears it away.
  await redis.command('DEL', ...keys)
  expect(await sessions.get(one.id)).toBeUndefined()
})

it('a server that is full refuses new sessions, and still ends old ones', async () => {
  const { sessions, redis } = await setUp(['--maxmemory-policy', 'noeviction'])
  const { id } = await sessions.login(undefined, 'ada')
  await redis.command('CONFIG', 'SET', 'maxmemory', '1')
  await expect(sessions.create({})).rejects.toThrow(SessionUnavailableError)
  expect(await sessions.get(id).catch((error: unknown) => error)).toBeDefined()
  await redis.command('CONFIG', 'SET', 'maxmemory', '0')
  await eventually('the store takes writes', () => sessions.touch(id).catch(() => false), ROOM_MS)
  expect(await sessions.destroyAll('ada')).toBe(1)
})

const REFUSALS: Readonly<Record<string, readonly [setting: string, on: string, off: string]>> = {
  'is full': ['maxmemory', '1', '0'],
  'has too few replicas': ['min-replicas-to-write', '1', '0'],
}

it.each(Object.entries(REFUSALS))(
  'a server that %s is still read, whatever it refused before',
  async (_, [setting, on, off]) => {
    const redis = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
    onTestFinished(() => redis.stop())
    const { sessions } = openSessions('on Redis', {
      remote: redisStore({ url: redis.url, pingEvery: '200ms' }),
      options: { touchEvery: 0 },
    })
    const [one, other] = [
      await sessions.login(undefined, 'ada', { visits: 1 }),
      await sessions.create({ visits: 2 }),
    ]
    await redis.command('CONFIG', 'SET', setting, on)
    for (let n = 0; n < 20; n++) {
      await expect(sessions.create({})).rejects.toThrow(SessionUnavailableError)
      await expect(sessions.save(one.id, {})).rejects.toThrow(SessionUnavailableError)
    }
    expect((await sessions.get(one.id))?.data.visits).toBe(1)
    expect((await sessions.get(other.id))?.data.visits).toBe(2)
    expect((await sessions.get(other.id))?.endsAt).toEqual(other.endsAt)
    expect(await sessions.touch(one.id)).toBe(true)
    expect(await sessions.list('ada')).toHaveLength(1)
    await redis.command('CONFIG', 'SET', setting, off)
    expect(await sessions.save(one.id, { visits: 3 })).toBe(true)
    const { endsAt } = (await sessions.get(other.id)) ?? other
    expect(endsAt.getTime()).toBeGreaterThan(other.endsAt.getTime())
  },
)

it('a server that is full ends what it is told to, and what has ended already', async () => {
  const { sessions, redis } = await setUp(['--maxmemory-policy', 'noeviction'])
  const [one, other] = [await sessions.login(undefined, 'ada'), await sessions.create({})]
  await redis.command('CONFIG', 'SET', 'maxmemory', '1')
  for (const { id } of [one, other]) {
    expect(await sessions.destroy(id)).toBe(true)
    expect(await sessions.destroy(id)).toBe(false)
  }
  expect(await sessions.destroy(sessions.newId())).toBe(false)
  await redis.command('CONFIG', 'SET', 'maxmemory', '0')
  for (const { id } of [one, other]) expect(await sessions.save(id, {})).toBe(false)
})

it('on a server that drops keys for room, sessions end early, and none that has ended is let in', async () => {
  const { sessions, redis } = await setUp(['--maxmemory-policy', 'allkeys-random'])
  const made = []
  for (let n = 0; n < 200; n++)
    made.push(await sessions.login(undefined, `user-${n % 50}`, { userId: `user-${n % 50}`, n }))
  const ended = made.filter((_, n) => n % 2 === 0)
  for (const { id } of ended) await sessions.destroy(id)
  const used = Number(/used_memory:(\d+)/.exec(String(await redis.command('INFO', 'memory')))?.[1])
  await redis.command('CONFIG', 'SET', 'maxmemory', String(used))
  for (let n = 0; n < 400; n++) await redis.command('SET', `filler-${n}`, 'x'.repeat(1_000))
  await redis.command('CONFIG', 'SET', 'maxmemory', '0')
  for (const { id } of ended) expect(await sessions.get(id)).toBeUndefined()
  let standing = 0
  for (const [n, { id }] of made.entries()) {
    const session = await sessions.get(id)
    if (session === undefined) continue
    standing += 1
    expect(session.data['n']).toBe(n)
  }
  // Some were dropped, by their list or by themselves.
  expect(standing).toBeLessThan(100)
  for (let n = 0; n < 50; n++) {
    await sessions.destroyAll(`user-${n}`)
    expect(await sessions.list(`user-${n}`)).toEqual([])
  }
  for (const { id } of made) expect(await sessions.get(id)).toBeUndefined()
})
