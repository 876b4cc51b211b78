/** What sessions promise, wherever they are kept. */

import { InvalidOptionError, SessionUnavailableError } from '@larder/core'
import { INTERNALS } from '@larder/core/store'
import { createSessions, type SessionEnd } from '@larder/plugins/sessions'
import { describe, expect, it } from 'vitest'
import { openSessions, PLACES, type Visit } from './support/stage.ts'

const NUL = String.fromCharCode(0)
const STRANGE_IDS = [
  '',
  ':',
  '{}',
  '{shop:session:web:u}',
  `a${NUL}b`,
  'x'.repeat(10_240),
  String.fromCharCode(0xd800),
  '../../etc',
  'u'.repeat(46),
]

describe.each(PLACES)('sessions %s', (place) => {
  it('keep what they are given, and know no other id', async () => {
    const { sessions } = openSessions(place)
    const { id } = await sessions.create({ visits: 1, at: new Date(0), tags: new Set(['a']) })
    expect((await sessions.get(id))?.data).toEqual({
      visits: 1,
      at: new Date(0),
      tags: new Set(['a']),
    })
    expect(await sessions.get(sessions.newId())).toBeUndefined()
    expect(await sessions.save(id, { visits: 2 })).toBe(true)
    expect((await sessions.get(id))?.data).toEqual({ visits: 2 })
    expect(await sessions.touch(id)).toBe(true)
    expect(await sessions.destroy(id)).toBe(true)
    expect(await sessions.destroy(id)).toBe(false)
    expect(await sessions.get(id)).toBeUndefined()
    expect(await sessions.touch(id)).toBe(false)
  })

  it('do not come back by a late save, touch or update', async () => {
    const { sessions, refused } = openSessions(place)
    const { id } = await sessions.create({ userId: 'ada' })
    await sessions.destroy(id)
    expect(await sessions.save(id, { userId: 'ada', visits: 9 })).toBe(false)
    expect(await sessions.touch(id)).toBe(false)
    expect(await sessions.update(id, (data) => data)).toBeUndefined()
    expect(await sessions.get(id)).toBeUndefined()
    expect(await sessions.list('ada')).toEqual([])
    expect(refused.map(({ operation }) => operation)).toEqual(['save', 'touch'])
  })

  it('are saved by nobody who only knows an id', async () => {
    const { sessions } = openSessions(place)
    const id = sessions.newId()
    expect(await sessions.save(id, { visits: 1 })).toBe(false)
    expect(await sessions.get(id)).toBeUndefined()
  })

  it('are not found by anything that is not an id, and refuse to be saved under it', async () => {
    const { sessions } = openSessions(place)
    for (const id of STRANGE_IDS) {
      expect(await sessions.get(id)).toBeUndefined()
      expect(await sessions.destroy(id)).toBe(false)
      expect(await sessions.touch(id)).toBe(false)
      await expect(sessions.save(id, {})).rejects.toThrow(InvalidOptionError)
      await expect(sessions.destroyAll('ada', { except: id })).rejects.toThrow(InvalidOptionError)
      // A message with an id in it would be a session in a log.
      if (id.length > 2) await expect(sessions.save(id, {})).rejects.not.toThrow(id)
    }
    await expect(sessions.get(undefined as never)).resolves.toBeUndefined()
    await expect(sessions.get({ toString: () => 'x' } as never)).resolves.toBeUndefined()
  })

  it('keep names of prototypes as names', async () => {
    const { sessions } = openSessions(place)
    const data = JSON.parse(
      '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"x":1}},"toString":"t"}',
    ) as Visit
    const { id } = await sessions.create(data)
    const found = (await sessions.get(id))?.data as Visit
    expect(Object.keys(found).sort()).toEqual(['__proto__', 'constructor', 'toString'])
    expect((found as { isAdmin?: boolean }).isAdmin).toBeUndefined()
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
  })

  it('keep data as it was when it was handed over', async () => {
    const { sessions } = openSessions(place)
    const { id } = await sessions.create({})
    for (const data of [{ cart: ['a'] }, { cart: ['a'], userId: 'ada' }]) {
      const saved = sessions.save(id, data)
      data.cart.push('later')
      await saved
      expect((await sessions.get(id))?.data['cart']).toEqual(['a'])
    }
  })

  it('give every caller a copy of its own', async () => {
    const { sessions } = openSessions(place)
    const { id, data } = await sessions.create({ cart: ['a'] })
    ;(data['cart'] as string[]).push('b')
    const [one, other] = await Promise.all([sessions.get(id), sessions.get(id)])
    const mine = one?.data['cart'] as string[] | undefined
    mine?.push('c')
    expect(other?.data).toEqual({ cart: ['a'] })
  })

  it('change their id with a login, and keep what they hold', async () => {
    const { sessions } = openSessions(place)
    const before = await sessions.create({ cart: ['a'] })
    const after = await sessions.login(before.id, 'ada')
    expect(after.id).not.toBe(before.id)
    expect(after.data).toEqual({ cart: ['a'] })
    expect(await sessions.get(before.id)).toBeUndefined()
    expect((await sessions.list('ada')).map(({ id }) => id)).toEqual([after.id])
  })

  it('let two tabs log in at once, and only one has what was in the session before', async () => {
    const { sessions } = openSessions(place)
    const before = await sessions.create({ cart: ['a'] })
    const tabs = await Promise.all(
      Array.from({ length: 10 }, () => sessions.login(before.id, 'ada')),
    )
    expect(new Set(tabs.map(({ id }) => id)).size).toBe(10)
    expect(tabs.filter(({ data }) => data['cart'] !== undefined)).toHaveLength(1)
    for (const { id } of tabs) expect(await sessions.get(id)).toBeDefined()
    expect(await sessions.get(before.id)).toBeUndefined()
  })

  it('log in without a session before, or with one that has ended', async () => {
    const { sessions } = openSessions(place)
    expect((await sessions.login(undefined, 7, { userId: '7' })).data).toEqual({ userId: '7' })
    expect((await sessions.login('rubbish', 7)).data).toEqual({})
    expect(await sessions.list('7')).toHaveLength(2)
  })

  it('end everywhere at once, but for the one that asks', async () => {
    const { sessions } = openSessions(place)
    const [here, there, elsewhere] = [
      await sessions.login(undefined, 'ada'),
      await sessions.login(undefined, 'ada'),
      await sessions.login(undefined, 'bob'),
    ]
    expect(await sessions.destroyAll('ada', { except: here.id })).toBe(1)
    expect(await sessions.get(there.id)).toBeUndefined()
    expect(await sessions.get(here.id)).toBeDefined()
    expect(await sessions.get(elsewhere.id)).toBeDefined()
    expect(await sessions.destroyAll('ada')).toBe(1)
    expect(await sessions.list('ada')).toEqual([])
    expect(await sessions.destroyAll('ada')).toBe(0)
    expect(await sessions.save(there.id, {})).toBe(false)
  })

  it('end all of a user’s while 50 saves are under way, and none comes back', async () => {
    const { sessions } = openSessions(place)
    const all = await Promise.all(
      Array.from({ length: 10 }, () => sessions.login(undefined, 'ada', { userId: 'ada' })),
    )
    const saves = Array.from({ length: 50 }, (_, i) =>
      sessions.save(all[i % 10]?.id ?? '', { userId: 'ada', visits: i }),
    )
    const ended = sessions.destroyAll('ada')
    const late = Array.from({ length: 50 }, (_, i) =>
      sessions.save(all[i % 10]?.id ?? '', { userId: 'ada', visits: i }),
    )
    await Promise.all([...saves, ended, ...late])
    for (const { id } of all) expect(await sessions.get(id)).toBeUndefined()
    expect(await sessions.list('ada')).toEqual([])
  })

  it('are never more than a user may have, in the order of their ends', async () => {
    const { sessions, failures } = openSessions(place, { options: { maxPerUser: 5 } })
    const ends: SessionEnd[] = []
    sessions.onEnd((end) => ends.push(end))
    const ids: string[] = []
    for (let n = 0; n < 40; n++) {
      const made = await Promise.all(
        Array.from({ length: 25 }, () => sessions.login(undefined, 'ada')),
      )
      ids.push(...made.map(({ id }) => id))
      expect((await sessions.list('ada')).length).toBeLessThanOrEqual(5)
    }
    const listed = (await sessions.list('ada')).map(({ id }) => id)
    expect(listed).toHaveLength(5)
    expect(ends).toHaveLength(995)
    expect(new Set(ends.map(({ reason }) => reason))).toEqual(new Set(['dropped']))
    const live = await Promise.all(ids.map(async (id) => (await sessions.get(id)) !== undefined))
    expect(live.filter(Boolean)).toHaveLength(5)
    expect(failures).toEqual([])
  })

  it('become a user’s by their data, under the id that they have', async () => {
    const { sessions } = openSessions(place)
    const { id } = await sessions.create({ cart: ['a'] })
    expect(await sessions.save(id, { cart: ['a'], userId: 'ada' })).toBe(true)
    expect((await sessions.get(id))?.data).toEqual({ cart: ['a'], userId: 'ada' })
    expect((await sessions.list('ada')).map((session) => session.id)).toEqual([id])
    // Data without the user does not take it off the list.
    await sessions.save(id, { cart: [] })
    expect(await sessions.list('ada')).toHaveLength(1)
    expect(await sessions.destroyAll('ada', { except: id })).toBe(0)
    expect(await sessions.destroyAll('ada')).toBe(1)
    expect(await sessions.get(id)).toBeUndefined()
    expect(await sessions.save(id, { cart: ['a'] })).toBe(false)
    expect(await sessions.save(id, { userId: 'ada' })).toBe(false)
  })

  it('become a user’s once, however many say so at the same time', async () => {
    const { sessions } = openSessions(place)
    for (let round = 0; round < 10; round++) {
      const { id } = await sessions.create({})
      const outcomes = await Promise.allSettled(
        ['ada', 'bob', 'ada', 'bob'].map((userId) => sessions.save(id, { userId })),
      )
      const owners = await Promise.all(['ada', 'bob'].map((user) => sessions.list(user)))
      const listed = owners.map((list) => list.some((session) => session.id === id))
      expect(listed.filter(Boolean)).toHaveLength(1)
      const owner = listed[0] ? 'ada' : 'bob'
      expect((await sessions.get(id))?.data.userId).toBe(owner)
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(InvalidOptionError)
    }
  })

  it('are not handed from one user to another', async () => {
    const { sessions } = openSessions(place)
    const [made, moved] = [await sessions.login(undefined, 'ada'), await sessions.create({})]
    await sessions.save(moved.id, { userId: 'ada' })
    for (const { id } of [made, moved]) {
      const refusal = sessions.save(id, { userId: 'bob' })
      await expect(refusal).rejects.toThrow(/takes data of the user whose session it is/)
    }
    expect(await sessions.list('bob')).toEqual([])
    await expect(sessions.login(undefined, 'ada', { userId: 'bob' })).rejects.toThrow(
      InvalidOptionError,
    )
  })

  it('count every change of twenty that are made at once', async () => {
    const { sessions } = openSessions(place)
    const { id } = await sessions.create({ visits: 0 })
    const add = () => sessions.update(id, (data) => ({ ...data, visits: (data.visits ?? 0) + 1 }))
    for (let round = 0; round < 4; round++) await Promise.all([add(), add(), add(), add(), add()])
    expect((await sessions.get(id))?.data).toEqual({ visits: 20 })
  })

  it('lose no change while they become a user’s', async () => {
    const { sessions } = openSessions(place)
    for (let round = 0; round < 20; round++) {
      const { id } = await sessions.create({ visits: 0 })
      const change = (userId?: string) =>
        sessions.update(id, (data) => ({
          ...data,
          ...(userId === undefined ? {} : { userId }),
          visits: (data.visits ?? 0) + 1,
        }))
      await Promise.all([change(), change('ada'), change(), change('ada'), change()])
      expect((await sessions.get(id))?.data).toEqual({ userId: 'ada', visits: 5 })
    }
    expect(await sessions.list('ada')).toHaveLength(20)
  })

  it('say who ended them, and go on when a listener throws', async () => {
    const { sessions, failures } = openSessions(place, { options: { maxPerUser: 1 } })
    const ends: SessionEnd[] = []
    sessions.onEnd(() => {
      throw new Error('of a listener')
    })
    const stop = sessions.onEnd((end) => ends.push(end))
    const [first, second] = [await sessions.create({}), await sessions.create({})]
    await sessions.destroy(first.id)
    const third = await sessions.login(second.id, 'ada')
    const fourth = await sessions.login(undefined, 'ada')
    await sessions.destroyAll('ada')
    expect(ends).toEqual([
      { id: first.id, reason: 'destroyed' },
      { id: second.id, reason: 'login' },
      { id: third.id, reason: 'dropped' },
      { id: fourth.id, reason: 'destroyed' },
    ])
    stop()
    await sessions.destroy((await sessions.create({})).id)
    expect(ends).toHaveLength(4)
    expect(failures).toHaveLength(5)
  })

  it('of different names know nothing of each other', async () => {
    const { caches, sessions } = openSessions(place)
    const staff = createSessions(caches, { name: 'staff', storeTimeout: '10s' })
    const { id } = await sessions.login(undefined, 'ada')
    expect(await staff.get(id)).toBeUndefined()
    expect(await staff.destroyAll('ada')).toBe(0)
    expect(await sessions.get(id)).toBeDefined()
  })

  it('refuse data that would not come back', async () => {
    const { sessions } = openSessions(place)
    await expect(sessions.create({ run: () => 1 })).rejects.toMatchObject({ code: 'LARDER_VALUE' })
    for (const data of [undefined, null, 'text', 7, []])
      await expect(sessions.create(data as never)).rejects.toThrow(InvalidOptionError)
  })

  it('take foreign ids where they are told to, and end them all the same', async () => {
    const { sessions } = openSessions(place, { options: { foreignIds: true } })
    const calls = ['abc', 'x:{}y', 'ü ☃', 'q'.repeat(200)]
    const { calls: inner } = sessions[INTERNALS]
    for (const id of calls) {
      const at = inner.parse(id)
      if (at === undefined) throw new Error('It was not taken')
      await inner.save(at, { userId: 'ada', id }, { mode: 'upsert' })
      expect((await sessions.get(id))?.data['id']).toBe(id)
    }
    expect((await sessions.list('ada')).map(({ id }) => id).sort()).toEqual([...calls].sort())
    expect(await sessions.destroyAll('ada')).toBe(4)
    for (const id of calls) {
      expect(await sessions.get(id)).toBeUndefined()
      expect(await sessions.save(id, {})).toBe(false)
    }
    for (const id of ['', 'q'.repeat(201), String.fromCharCode(0xd800)])
      expect(await sessions.get(id)).toBeUndefined()
  })
})

it('work while a manager is switched off, in its process', async () => {
  const { sessions } = openSessions('on Redis', { enabled: false })
  const { id } = await sessions.login(undefined, 'ada')
  expect(await sessions.get(id)).toBeDefined()
})

it.each(PLACES)('reject once their manager is closed, %s', async (place) => {
  const { caches, sessions } = openSessions(place)
  const { id } = await sessions.create({})
  await caches.close()
  await expect(sessions.get(id)).rejects.toThrow(SessionUnavailableError)
})
