/** Sessions in this process take no more room than they may, and what that ends stays ended. */

import { INTERNALS } from '@larder/core/store'
import { localSessions } from '@larder/local-store'
import { createSessions, type Sessions } from '@larder/plugins/sessions'
import { expect, it } from 'vitest'
import { makeId, parseId, type SessionId } from '../../packages/plugins/src/sessions/session-id.ts'
import { openSessions, type Visit } from './support/stage.ts'

/** Ids of logins are made by the clock of this machine. */
const START_MS = Date.now()
const MINUTE_MS = 60_000

function open(maxSessions: number) {
  const clock = { now: START_MS }
  const provider = localSessions({ maxSessions, now: () => clock.now })
  return { ...openSessions('in process', { sessions: provider }), clock }
}

function idAt(nowMs: number, user?: string): SessionId {
  const at = parseId(makeId(nowMs, user), false)
  if (at === undefined) throw new Error('no id')
  return at
}

async function save(sessions: Sessions<Visit>, at: SessionId, data: Visit = {}): Promise<string> {
  const { kind } = await sessions[INTERNALS].calls.save(at, data, { mode: 'upsert' })
  return kind
}

async function countOf(sessions: Sessions<Visit>): Promise<number> {
  let count = 0
  const { parts, options } = sessions[INTERNALS].calls
  for await (const known of parts.store.scan(options.terms)) count += known.length
  return count
}

it('the one that was not used for longest goes', async () => {
  const { sessions, clock } = open(3)
  const ids = Array.from({ length: 3 }, (_, i) => idAt(START_MS + i))
  for (const at of ids) await save(sessions, at, { n: at.id })
  clock.now += MINUTE_MS
  expect(await sessions.get(ids[0]?.id ?? '')).toBeDefined()
  const last = idAt(clock.now)
  await save(sessions, last)
  expect(await sessions.get(ids[1]?.id ?? '')).toBeUndefined()
  for (const at of [ids[0], ids[2], last]) expect(await sessions.get(at?.id ?? '')).toBeDefined()
  expect(await countOf(sessions)).toBe(3)
})

it('however many begin or end, there are never more, and the lists of users have no other', async () => {
  const { sessions, clock } = open(20)
  const users = Array.from({ length: 10 }, (_, i) => `user-${i}`)
  for (let round = 0; round < 30; round++) {
    clock.now += MINUTE_MS
    for (const user of users) await sessions.login(undefined, user, { userId: user })
    for (let i = 0; i < 5; i++) await sessions.destroy(idAt(clock.now).id)
    expect(await countOf(sessions)).toBeLessThanOrEqual(20)
    const listed = await Promise.all(users.map((user) => sessions.list(user)))
    expect(listed.flat().length).toBeLessThanOrEqual(20)
  }
})

it('what ended stays ended when its end is forgotten for room', async () => {
  const { sessions, clock } = open(5)
  const ended = idAt(clock.now)
  await save(sessions, ended)
  await sessions.destroy(ended.id)
  const everywhere = await sessions.login(undefined, 'ada', { userId: 'ada' })
  await sessions.destroyAll('ada')
  for (let i = 1; i <= 10; i++) await save(sessions, idAt(START_MS + i))
  expect(await save(sessions, ended)).toBe('refused')
  expect(await sessions.save(everywhere.id, { userId: 'ada' })).toBe(false)
  expect(await sessions.get(everywhere.id)).toBeUndefined()
  // What is younger than all that was forgotten begins.
  expect(await save(sessions, idAt(START_MS + 30_000))).toBe('saved')
})

it('each name has its own room, and that it is too small is told once', async () => {
  const { sessions, caches } = open(2)
  const other = createSessions<Visit>(caches, { name: 'other' })
  const first = await other.create({})
  const told: string[] = []
  caches.on('trouble', ({ error }) => told.push(error.message))
  for (let i = 0; i < 5; i++) await sessions.create({})
  expect(await other.get(first.id)).toBeDefined()
  expect(told).toEqual([expect.stringContaining('more than 2 sessions')])
})

it('a number of sessions that is none is refused', () => {
  for (const maxSessions of [0, 1.5, -1, 10_000_001, '5' as never])
    expect(() => localSessions({ maxSessions })).toThrow(/localSessions\.maxSessions takes/)
})
