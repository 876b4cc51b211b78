/** What every session provider must do with the sessions of one user: list them, bound them, end them together, and move one to them. */

import assert from 'node:assert/strict'
import type { SessionPlace, SessionRule } from '../../contracts/session-provider.ts'
import { eventually } from './patience.ts'
import {
  endedNow,
  HOUR_MS,
  liveNow,
  newPlace,
  RULE,
  read,
  type SessionCase,
  SHORT_MS,
  save,
  saved,
  TAG,
} from './session-steps.ts'

export const USER_CASES: readonly SessionCase[] = [
  [
    'lists the sessions of a user, and no others',
    async ([one, other]) => {
      const [late, early, anonymous] = [newPlace(), newPlace(), newPlace()]
      await saved(one, late, save('a', { ofUser: true, idleMs: 2 * HOUR_MS }))
      await saved(one, early, save('b', { ofUser: true, idleMs: HOUR_MS }))
      await saved(one, anonymous, save('c'))
      await saved(one, { ...newPlace(), tag: 'other' }, save('d', { ofUser: true }))
      const names = (await other.list(RULE, TAG)).map(({ name }) => name)
      assert.deepEqual(names, [early.name, late.name])
      await other.end(RULE, early, false)
      assert.deepEqual((await one.list(RULE, TAG)).length, 1)
    },
  ],
  [
    'leaves what has ended by time out of the list',
    async ([one, other]) => {
      await saved(one, newPlace(), save('a', { ofUser: true, idleMs: SHORT_MS }))
      await eventually('the list is empty', async () => {
        return (await other.list(RULE, TAG)).length === 0
      })
    },
  ],
  [
    'keeps a session of a user one, whatever is saved later',
    async ([one, other]) => {
      const place = newPlace()
      await saved(one, place, save('a', { ofUser: true }))
      await saved(one, place, save('b'))
      assert.equal((await other.list(RULE, TAG)).length, 1)
    },
  ],
  [
    'ends all sessions of a user at once, and no late save brings one back',
    async ([one, other]) => {
      const places = [newPlace(), newPlace(), newPlace()] as const
      for (const place of places) await saved(one, place, save('a', { ofUser: true }))
      const names = await other.endAll(RULE, TAG, undefined)
      assert.deepEqual([...names].sort(), places.map(({ name }) => name).sort())
      for (const place of places) {
        await endedNow(one, place)
        const answer = await one.save(RULE, place, save('b', { ofUser: true }))
        assert.deepEqual(answer, { kind: 'ended' })
      }
      assert.deepEqual(await one.list(RULE, TAG), [])
      await saved(one, newPlace(), save('c', { ofUser: true }))
    },
  ],
  [
    'spares the session that is named, and ends the others',
    async ([one, other]) => {
      const [kept, gone] = [newPlace(), newPlace()]
      await saved(one, kept, save('a', { ofUser: true }))
      await saved(one, gone, save('b', { ofUser: true }))
      assert.deepEqual(await other.endAll(RULE, TAG, kept.name), [gone.name])
      await liveNow(one, kept)
      await endedNow(one, gone)
      await saved(one, kept, save('c', { ofUser: true }))
    },
  ],
  [
    'ends the session that would end first where a user has one too many',
    async ([one, other]) => {
      const rule: SessionRule = { ...RULE, maxPerUser: 2 }
      const places = [newPlace(), newPlace(), newPlace()] as const
      const replies = []
      for (const [i, place] of places.entries()) {
        const reply = await one.save(
          rule,
          place,
          save('a', { ofUser: true, idleMs: HOUR_MS * (i + 1) }),
        )
        replies.push(reply.kind === 'saved' ? reply.ended : reply.kind)
      }
      assert.deepEqual(replies, [[], [], [places[0].name]])
      await endedNow(other, places[0])
      await liveNow(other, places[1])
      // Saving one again makes none too many.
      await saved(one, places[2], save('b', { ofUser: true }))
      assert.equal((await other.list(rule, TAG)).length, 2)
    },
  ],
  [
    'says where a session was moved to, and by whom first',
    async ([one, other]) => {
      const place = newPlace()
      await saved(one, place, save('a'))
      const until = Date.now() + HOUR_MS
      const to = { tag: 'first', until, expected: 0 }
      assert.deepEqual(await one.move(RULE, place, to), { kind: 'moved', tag: 'first' })
      const second = { tag: 'second', until, expected: 0 }
      assert.deepEqual(await other.move(RULE, place, second), { kind: 'moved', tag: 'first' })
      for (const answer of [
        await other.read(RULE, place, read()),
        await other.save(RULE, place, save('b')),
        await other.end(RULE, place, true),
        await other.read(RULE, place, read()),
      ])
        assert.deepEqual(answer, { kind: 'moved', tag: 'first' })
    },
  ],
  [
    'moves only the version that is expected, and gives it a higher one at its new place',
    async ([one, other]) => {
      const place = newPlace({ tag: 'anybody' })
      const { version } = await saved(one, place, save('a'))
      const to = { tag: TAG, until: Date.now() + HOUR_MS, expected: version - 1 }
      assert.deepEqual(await other.move(RULE, place, to), { kind: 'conflict' })
      const there = { ...place, tag: TAG }
      const adopted = save('b', { mode: 'adopt', expected: version + 10_000_000, ofUser: true })
      assert((await saved(one, there, adopted)).version > version + 10_000_000)
      const again = save('c', { mode: 'adopt', expected: version, ofUser: true })
      assert((await saved(one, there, again)).version > version + 10_000_001)
      const over = save('d', { mode: 'adoptOver', expected: version, ofUser: true })
      assert.deepEqual(await other.save(RULE, there, over), { kind: 'conflict' })
      const moved = await one.move(RULE, place, { ...to, expected: version })
      assert.deepEqual(moved, { kind: 'moved', tag: TAG })
    },
  ],
  [
    'moves nothing that has ended, that is too old, or that is a user’s already',
    async ([one]) => {
      const [ended, ofUser] = [newPlace(), newPlace()]
      const old: SessionPlace = newPlace({ madeAt: Date.now() - 2 * HOUR_MS })
      await one.end(RULE, ended, false)
      await saved(one, ofUser, save('a', { ofUser: true }))
      const to = { tag: 'first', until: Date.now() + HOUR_MS, expected: 0 }
      for (const place of [ended, ofUser, old])
        assert.deepEqual(await one.move(RULE, place, to), { kind: 'ended' })
    },
  ],
]
