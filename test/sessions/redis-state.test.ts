/** What is in Redis: how it expires, how few round trips it takes, and that an encrypted session is bound to its id. */

import { randomBytes } from 'node:crypto'
import { SessionUnavailableError } from '@larder/core'
import { encryption } from '@larder/plugins/encryption'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { openSessions } from './support/stage.ts'

let redis: Redis
beforeAll(() => {
  redis = new Redis(inject('redisUrl'))
})
afterAll(() => redis.disconnect())

const keysOf = (namespace: string): Promise<string[]> => redis.keys(`{${namespace}:session:*`)

it('every key of sessions expires, and a user’s have one hash tag', async () => {
  const { sessions, caches } = openSessions('on Redis')
  const ids = [await sessions.login(undefined, 'ada'), await sessions.login(undefined, 'ada')]
  const moved = await sessions.create({ cart: [] })
  await sessions.save(moved.id, { userId: 'ada' })
  await sessions.destroy(ids[0]?.id ?? '')
  await sessions.create({})
  const keys = await keysOf(caches.namespace)
  // Two and a moved one with the list that they are in, the first place of that, and one of nobody.
  expect(keys).toHaveLength(6)
  for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0)
  const tags = new Set(keys.filter((key) => key.includes(':web:u')).map((key) => key.split('}')[0]))
  expect(tags.size).toBe(1)
})

it('what all sessions of a user held is removed once they have ended', async () => {
  const { sessions, caches } = openSessions('on Redis')
  for (let n = 0; n < 5; n++) await sessions.login(undefined, 'ada', { note: 'a secret note' })
  await sessions.destroyAll('ada')
  await eventually('nothing of it is left', async () => {
    const keys = await keysOf(caches.namespace)
    const held = await Promise.all(keys.map((key) => redis.getBuffer(key)))
    return held.every((bytes) => bytes?.includes('secret') === false)
  })
})

it('an old session leaves nothing at all behind', async () => {
  const { sessions, caches } = openSessions('on Redis', { options: { foreignIds: false } })
  const { id } = await sessions.create({})
  await sessions.destroy(id)
  const [tombstone, ...others] = await keysOf(caches.namespace)
  expect(others).toEqual([])
  // As long as its id is young enough for a first save.
  const life = await redis.pttl(tombstone ?? '')
  expect(life).toBeGreaterThan(3_500_000)
  expect(life).toBeLessThanOrEqual(3_600_000)
})

it('an id that no save could begin leaves nothing behind, whoever made it', async () => {
  const { sessions, caches } = openSessions('on Redis')
  const tag = `a${'x'.repeat(16)}`
  for (const when of ['zzzzzzz', '0000001'])
    expect(await sessions.destroy(`${tag}~${when}~${'x'.repeat(22)}`)).toBe(false)
  expect(await keysOf(caches.namespace)).toEqual([])
})

describe('round trips', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  async function scripts(work: () => Promise<unknown>): Promise<number> {
    const calls = async (): Promise<number> => {
      const stats = String(await server.command('INFO', 'commandstats'))
      return [...stats.matchAll(/cmdstat_evalsha:calls=(\d+)/g)].reduce(
        (sum, [, n]) => sum + Number(n),
        0,
      )
    }
    const before = await calls()
    await work()
    return (await calls()) - before
  }

  it('are one for each call, two for a login that ends a session before, and for a list', async () => {
    const { sessions } = openSessions('on Redis', { remote: redisStore({ url: server.url }) })
    const { id } = await sessions.login(undefined, 'ada', { userId: 'ada' })
    const anonymous = await sessions.create({})
    // Each script is known by now.
    await sessions.destroyAll('bob')
    await sessions.destroy((await sessions.create({})).id)
    const counts = {
      get: await scripts(() => sessions.get(id)),
      save: await scripts(() => sessions.save(id, { userId: 'ada', n: 1 })),
      touch: await scripts(() => sessions.touch(id)),
      create: await scripts(() => sessions.create({})),
      update: await scripts(() => sessions.update(id, (data) => ({ ...data, n: 2 }))),
      login: await scripts(() => sessions.login(anonymous.id, 'ada')),
      destroy: await scripts(() => sessions.destroy(id)),
      bad: await scripts(() => sessions.get('rubbish')),
      none: await scripts(() => sessions.destroyAll('nobody')),
    }
    expect(counts).toEqual({
      get: 1,
      save: 1,
      touch: 1,
      create: 1,
      update: 2,
      login: 2,
      destroy: 1,
      bad: 0,
      none: 1,
    })
  })
})

describe('encrypted sessions', () => {
  const key = { key: randomBytes(32) }

  it('hold nothing that can be read, and are read by others with the key', async () => {
    const { sessions, caches } = openSessions('on Redis', {
      plugins: [encryption({ keys: [key] })],
    })
    const { id } = await sessions.login(undefined, 'ada', { userId: 'ada', note: 'a secret note' })
    for (const at of await redis.keys(`{${caches.namespace}:session:*}:*`))
      expect((await redis.getBuffer(at))?.includes('secret')).toBe(false)
    const other = openSessions('on Redis', {
      namespace: caches.namespace,
      plugins: [encryption({ keys: [{ key: randomBytes(32) }, key] })],
    })
    expect((await other.sessions.get(id))?.data['note']).toBe('a secret note')
  })

  it('cannot be given to another id, nor be left plain, by somebody who can write to Redis', async () => {
    const plugins = [encryption({ keys: [key] })]
    const { sessions, caches } = openSessions('on Redis', { plugins })
    const [rich, poor] = [
      await sessions.create({ isAdmin: true }),
      await sessions.create({ isAdmin: false }),
    ]
    const keyOf = (id: string): string => {
      const [tag, ...name] = id.split('~')
      return `{${caches.namespace}:session:web:${tag}}:${name.join('~')}`
    }
    await redis.copy(keyOf(rich.id), keyOf(poor.id), 'REPLACE')
    await expect(sessions.get(poor.id)).rejects.toThrow(SessionUnavailableError)
    expect((await sessions.get(rich.id))?.data).toEqual({ isAdmin: true })
    const plain = openSessions('on Redis', { namespace: caches.namespace })
    const forged = await plain.sessions.create({ isAdmin: true })
    await expect(sessions.get(forged.id)).rejects.toThrow(SessionUnavailableError)
    await expect(plain.sessions.get(rich.id)).rejects.toThrow(SessionUnavailableError)
    // It can be ended all the same.
    expect(await sessions.destroy(poor.id)).toBe(true)
  })
})
