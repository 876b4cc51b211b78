/** When sessions end: by idleness, for good, and where clocks are set. On a clock of the test's; the scripts follow the same model. */

import { INTERNALS } from '@larder/core/store'
import { createSessions, type Sessions } from '@larder/plugins/sessions'
import { expect, it, vi } from 'vitest'
import { makeId, parseId, type SessionId } from '../../packages/plugins/src/sessions/session-id.ts'
import { openAt, type Visit } from './support/stage.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Now, because ids say when they were made. */
const START_MS = Date.now()
const TIMES = { idle: '30m', absolute: '12h', touchEvery: '3m' } as const

it('end when they were not used for as long as they may be idle, and not before', async () => {
  const { sessions, clock } = openAt(START_MS, TIMES)
  const { id, endsAt } = await sessions.create({})
  expect(endsAt.getTime()).toBe(START_MS + 30 * MINUTE_MS)
  clock.now += 30 * MINUTE_MS - 1
  expect(await sessions.get(id)).toBeDefined()
  clock.now += 30 * MINUTE_MS - 1
  expect(await sessions.get(id)).toBeDefined()
  clock.now += 30 * MINUTE_MS
  expect(await sessions.get(id)).toBeUndefined()
  expect(await sessions.save(id, {})).toBe(false)
})

it('note a use at most every touchEvery', async () => {
  const { sessions, clock } = openAt(START_MS, TIMES)
  const { id, endsAt } = await sessions.create({})
  clock.now += 3 * MINUTE_MS - 1
  expect((await sessions.get(id))?.endsAt).toEqual(endsAt)
  clock.now += 1
  expect((await sessions.get(id))?.endsAt.getTime()).toBe(endsAt.getTime() + 3 * MINUTE_MS)
})

it('are not used by an update', async () => {
  const { sessions, clock } = openAt(START_MS, { ...TIMES, touchEvery: 0 })
  const { id } = await sessions.create({ visits: 0 })
  clock.now += 30 * MINUTE_MS - 1
  expect(await sessions.update(id, () => ({ visits: 1 }))).toEqual({ visits: 1 })
  clock.now += 1
  expect(await sessions.get(id)).toBeUndefined()
})

it('end for good, however much they are used', async () => {
  const { sessions, clock } = openAt(START_MS, TIMES)
  const { id, absoluteEnd } = await sessions.create({})
  expect(absoluteEnd.getTime()).toBeLessThanOrEqual(START_MS + 12 * HOUR_MS)
  while (clock.now + 20 * MINUTE_MS < absoluteEnd.getTime()) {
    clock.now += 20 * MINUTE_MS
    expect(await sessions.save(id, { at: clock.now })).toBe(true)
  }
  clock.now = absoluteEnd.getTime() - 1
  expect(await sessions.get(id)).toBeDefined()
  clock.now += 1
  expect(await sessions.get(id)).toBeUndefined()
})

it('do not begin anew under a request that is slower than their end', async () => {
  const { sessions, clock } = openAt(START_MS, { ...TIMES, userOf: () => undefined })
  const { calls } = sessions[INTERNALS]
  const { id } = await sessions.create({})
  const at = calls.parse(id)
  if (at === undefined) throw new Error('It is an id')
  const upsert = () => calls.save(at, {}, { mode: 'upsert' })
  for (const laterMs of [30 * MINUTE_MS, HOUR_MS, 12 * HOUR_MS]) {
    clock.now = START_MS + laterMs
    expect((await upsert()).kind).toBe('refused')
    expect(await sessions.get(id)).toBeUndefined()
  }
})

it('bind the absolute end of a login to the new id, and of a moved session to the old one', async () => {
  const { sessions, clock } = openAt(START_MS, { ...TIMES, idle: '12h' })
  const { id, absoluteEnd } = await sessions.create({})
  clock.now += 11 * HOUR_MS
  expect(await sessions.save(id, { userId: 'ada' })).toBe(true)
  expect((await sessions.get(id))?.absoluteEnd).toEqual(absoluteEnd)
  expect((await sessions.list('ada')).map(({ absoluteEnd: end }) => end)).toEqual([absoluteEnd])
})

it('last no longer than their idle time where the clock of the store is set back', async () => {
  const { sessions, clock } = openAt(START_MS, TIMES)
  const { id } = await sessions.login(undefined, 'ada')
  clock.now -= 5 * HOUR_MS
  expect((await sessions.get(id))?.endsAt.getTime()).toBe(clock.now + 30 * MINUTE_MS)
  clock.now += 30 * MINUTE_MS
  expect(await sessions.get(id)).toBeUndefined()
  expect(await sessions.list('ada')).toEqual([])
})

it('stay ended where the clock of the store is set back', async () => {
  const { sessions, clock } = openAt(START_MS, TIMES)
  const [one, two] = [await sessions.create({}), await sessions.login(undefined, 'ada')]
  await sessions.destroy(one.id)
  await sessions.destroyAll('ada')
  clock.now -= 5 * HOUR_MS
  for (const { id } of [one, two]) {
    expect(await sessions.get(id)).toBeUndefined()
    expect(await sessions.save(id, {})).toBe(false)
  }
})

it('that were ended after their time are not listed where the clock of the store is set back', async () => {
  const { sessions, clock } = openAt(START_MS, TIMES)
  const { id } = await sessions.login(undefined, 'ada')
  clock.now += HOUR_MS / 2
  await sessions.destroy(id)
  clock.now = START_MS
  expect(await sessions.list('ada')).toEqual([])
})

it('end early where the clock of the store is set forward, and new ones begin', async () => {
  const { sessions, clock } = openAt(START_MS, TIMES)
  const { id } = await sessions.create({})
  clock.now += 40 * MINUTE_MS
  expect(await sessions.get(id)).toBeUndefined()
  expect(await sessions.get((await sessions.create({})).id)).toBeDefined()
})

it('say that a clock is wrong where it is hours away from that of the store', async () => {
  for (const awayMs of [-2 * HOUR_MS, 2 * HOUR_MS]) {
    const { sessions } = openAt(START_MS + awayMs, TIMES)
    await expect(sessions.create({})).rejects.toThrow(/the clock of this machine/)
  }
})

it('can be used from a machine whose clock is minutes away', async () => {
  for (const awayMs of [-40 * MINUTE_MS, 40 * MINUTE_MS]) {
    const { sessions, clock } = openAt(START_MS + awayMs, TIMES)
    const { id } = await sessions.create({})
    expect(await sessions.get(id)).toBeDefined()
    clock.now += 29 * MINUTE_MS
    expect(await sessions.get(id)).toBeDefined()
    await sessions.destroy(id)
    expect(await sessions.save(id, {})).toBe(false)
  }
})

it('leave nothing behind in this process once they have ended', async () => {
  const { sessions, clock } = openAt(START_MS, TIMES)
  for (let n = 0; n < 100; n++) await sessions.login(undefined, `user-${n}`)
  clock.now += 2 * HOUR_MS
  vi.useFakeTimers({ toFake: ['Date'], now: clock.now })
  try {
    const { id } = await sessions.create({})
    expect(await sessions.get(id)).toBeDefined()
  } finally {
    vi.useRealTimers()
  }
  expect(await namesOf(sessions)).toHaveLength(1)
})

it('leave nothing behind where others of another name are made all the time', async () => {
  const { caches, sessions, clock } = openAt(START_MS, TIMES)
  const busy = createSessions(caches, { name: 'busy' })
  await sessions.create({})
  for (let minutes = 0; minutes < 150; minutes++) {
    clock.now += MINUTE_MS
    // Ids say when they were made, and are made by the clock of this machine.
    await busy[INTERNALS].calls.save(idAt(clock.now), {}, { mode: 'upsert' })
  }
  expect(await namesOf(sessions)).toEqual([])
})

it('remember nothing of an id that no save could begin, whoever made it', async () => {
  const { sessions } = openAt(START_MS, TIMES)
  const tag = `a${'x'.repeat(16)}`
  for (const when of ['zzzzzzz', '0000001'])
    expect(await sessions.destroy(`${tag}~${when}~${'x'.repeat(22)}`)).toBe(false)
  expect(await namesOf(sessions)).toEqual([])
  expect(await sessions.destroy(sessions.newId())).toBe(false)
  expect(await namesOf(sessions)).toHaveLength(1)
})

function idAt(nowMs: number): SessionId {
  const at = parseId(makeId(nowMs, undefined), false)
  if (at === undefined) throw new Error('no id')
  return at
}

async function namesOf(sessions: Sessions<Visit>): Promise<readonly string[]> {
  const names: string[] = []
  const { parts, options } = sessions[INTERNALS].calls
  for await (const known of parts.store.scan(options.terms))
    names.push(...known.map(({ name }) => name))
  return names
}
