/** What a login does with the session before it, and with data that somebody changes or got wrong. */

import { encryption } from '@larder/plugins/encryption'
import type { SessionEnd } from '@larder/plugins/sessions'
import { describe, expect, it } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { openSessions, PLACES, type Visit } from './support/stage.ts'

const CYCLIC: Visit = {}
CYCLIC['self'] = CYCLIC

describe.each(PLACES)('a login %s', (place) => {
  it.each([
    ['a session of another user', (userId: string | undefined): Visit => ({ userId, cart: ['b'] })],
    ['one whose data does not name them', (): Visit => ({ cart: ['b'] })],
  ])('hands nothing on from %s', async (_, dataOf) => {
    const { sessions } = openSessions(place)
    const bob = await sessions.login(undefined, 'bob', dataOf('bob'))
    const ada = await sessions.login(bob.id, 'ada')
    expect(ada.data).toEqual({})
    expect(await sessions.get(bob.id)).toBeUndefined()
    expect((await sessions.get(ada.id))?.data).toEqual({})
  })

  it('hands nothing on from a session that became another user’s under its first id', async () => {
    const { sessions } = openSessions(place)
    const bob = await sessions.create({})
    await sessions.save(bob.id, { userId: 'bob', cart: ['b'] })
    expect((await sessions.login(bob.id, 'ada')).data).toEqual({})
  })

  it('keeps what was in the user’s own session', async () => {
    const { sessions } = openSessions(place)
    const before = await sessions.login(undefined, 'ada', { userId: 'ada', cart: ['a'] })
    expect((await sessions.login(before.id, 'ada')).data).toEqual({ userId: 'ada', cart: ['a'] })
  })

  it.each([
    ['names another user', { userId: 'bob' }],
    ['names nobody that can be', { userId: '' }],
    ['holds a function', { f: () => 1 }],
    ['holds itself', CYCLIC],
  ])('with data that %s ends nothing', async (_, data) => {
    const { sessions } = openSessions(place)
    const before = await sessions.create({ cart: ['a'] })
    await expect(sessions.login(before.id, 'ada', data)).rejects.toThrow()
    expect((await sessions.get(before.id))?.data).toEqual({ cart: ['a'] })
    expect(await sessions.list('ada')).toEqual([])
  })

  it('saves the data as it was at the call', async () => {
    const { sessions } = openSessions(place)
    const before = await sessions.create({})
    const data: Visit & { cart: string[] } = { userId: 'ada', cart: ['a'] }
    const login = sessions.login(before.id, 'ada', data)
    data.cart.push('late')
    data.userId = 'bob'
    expect((await sessions.get((await login).id))?.data).toEqual({ userId: 'ada', cart: ['a'] })
  })

  it('by a save keeps the data, and its user, as they were at the call', async () => {
    const { sessions } = openSessions(place)
    const before = await sessions.create({})
    const data: Visit & { cart: string[] } = { userId: 'ada', cart: ['a'] }
    const save = sessions.save(before.id, data)
    data.cart.push('late')
    data.userId = 'bob'
    expect(await save).toBe(true)
    expect((await sessions.get(before.id))?.data).toEqual({ userId: 'ada', cart: ['a'] })
  })

  it('ends a session that cannot be read where it does not need what is in it', async () => {
    const namespace = freshNamespace()
    const open = (fill: number) =>
      openSessions(place, {
        namespace,
        plugins: [encryption({ keys: [{ key: Buffer.alloc(32, fill) }] })],
      })
    const [one, other] = [open(1), open(2)]
    const before = await one.sessions.login(undefined, 'ada', { userId: 'ada' })
    const ends: SessionEnd[] = []
    other.sessions.onEnd((end) => ends.push(end))
    const after = await other.sessions.login(before.id, 'ada', { userId: 'ada' })
    expect(ends).toEqual([{ id: before.id, reason: 'login' }])
    expect((await other.sessions.list('ada')).map(({ id }) => id)).toEqual([after.id])
  })

  it.each([
    new Map([['a', 1]]),
    new Set(),
    new Date(0),
    Buffer.from('a'),
    Promise.resolve({}),
    [],
    null,
  ])('takes no data without names: %s', async (data) => {
    const { sessions } = openSessions(place)
    const before = await sessions.create({})
    await expect(sessions.login(before.id, 'ada', data as never)).rejects.toThrow(
      /sessions.login.data takes an object/,
    )
    expect(await sessions.get(before.id)).toBeDefined()
  })

  it('is told of by listeners that may reject', async () => {
    const { sessions, failures } = openSessions(place)
    sessions.onEnd((async () => {
      throw new Error('a listener that rejects')
    }) as never)
    const { id } = await sessions.create({})
    await sessions.login(id, 'ada')
    await sessions.destroyAll('ada')
    expect(failures.map((error) => (error as Error).message)).toEqual([
      'a listener that rejects',
      'a listener that rejects',
    ])
  })
})
