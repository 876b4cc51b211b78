/** What every session provider must do with one session: keep it, end it, and let nothing bring it back. */

import assert from 'node:assert/strict'
import type { SessionRule } from '../../contracts/session-provider.ts'
import { eventually } from './patience.ts'
import {
  bytesOf,
  DAY_MS,
  endedNow,
  HOUR_MS,
  liveNow,
  NONE,
  newPlace,
  RULE,
  read,
  type SessionCase,
  SHORT_MS,
  save,
  saved,
  textIn,
} from './session-steps.ts'

export const LIFE_CASES: readonly SessionCase[] = [
  [
    'keeps what is saved, for both ends, and knows nothing of other ids',
    async ([one, other]) => {
      const place = newPlace()
      await saved(one, place, save('a'))
      assert.equal(textIn(await liveNow(other, place)), 'a')
      assert.deepEqual(await other.read(RULE, newPlace(), read()), { kind: 'absent' })
    },
  ],
  [
    'takes any bytes, and any name and tag that the contract allows',
    async ([one, other]) => {
      for (const name of ['a', '~bG9uZw', `${'t'.repeat(16)}.mc3k1q0.x-_y`, 'n'.repeat(300)]) {
        const place = { tag: '-_aZ09', name, madeAt: 0 }
        const bytes = Uint8Array.from([0, 255, 10, 13, 0x7d, ...bytesOf(name)])
        await saved(one, place, save('', { bytes }))
        assert.deepEqual([...(await liveNow(other, place)).bytes], [...bytes])
      }
    },
  ],
  [
    'keeps the same id of other sessions apart',
    async ([one, other]) => {
      const place = newPlace()
      await saved(one, place, save('a'))
      const admin = { ...RULE, sessions: 'admin' }
      assert.deepEqual(await other.read(admin, place, read()), { kind: 'absent' })
    },
  ],
  [
    'gives every save another version, and saves only over the one that is expected',
    async ([one, other]) => {
      const place = newPlace()
      const first = await saved(one, place, save('a'))
      const second = await saved(other, place, save('b', { expected: first.version }))
      assert(second.version > first.version)
      const late = save('c', { expected: first.version })
      assert.deepEqual(await one.save(RULE, place, late), { kind: 'conflict' })
      assert.equal(textIn(await liveNow(one, place)), 'b')
    },
  ],
  [
    'creates only what is not there, and updates only what is',
    async ([one, other]) => {
      const place = newPlace()
      assert.deepEqual(await one.save(RULE, place, save('a', { mode: 'update' })), NONE)
      await saved(one, place, save('a', { mode: 'create' }))
      assert.deepEqual(await other.save(RULE, place, save('b', { mode: 'create' })), {
        kind: 'ended',
      })
      await saved(other, place, save('b', { mode: 'update' }))
    },
  ],
  [
    'ends a session once, and says what was in it',
    async ([one, other]) => {
      const place = newPlace()
      await saved(one, place, save('a'))
      const was = await other.end(RULE, place, true)
      assert.equal(was.kind, 'live')
      assert.equal(textIn(was), 'a')
      assert.notEqual((await one.end(RULE, place, true)).kind, 'live')
      await endedNow(one, place)
    },
  ],
  [
    'refuses a save that comes after the end, however it comes',
    async ([one, other]) => {
      for (const mode of ['create', 'upsert', 'adopt'] as const) {
        const place = newPlace()
        await saved(one, place, save('a'))
        await one.end(RULE, place, false)
        assert.deepEqual(await other.save(RULE, place, save('b', { mode })), { kind: 'ended' })
        await endedNow(one, place)
      }
    },
  ],
  [
    'refuses the first save of an id that was ended before it',
    async ([one, other]) => {
      const place = newPlace()
      await one.end(RULE, place, false)
      assert.deepEqual(await other.save(RULE, place, save('a')), { kind: 'ended' })
    },
  ],
  [
    'refuses the first save of an id that is old, and of one from the future',
    async ([one]) => {
      for (const awayMs of [-HOUR_MS - 5_000, HOUR_MS + 60_000]) {
        const place = newPlace({ madeAt: Date.now() + awayMs })
        assert.deepEqual(await one.save(RULE, place, save('a')), { kind: 'ended' })
      }
    },
  ],
  [
    'goes on with an old session, and knows its absolute end by its id',
    async ([one, other]) => {
      const old = newPlace({ madeAt: Date.now() - 2 * HOUR_MS })
      const absoluteEnd = Date.now() + DAY_MS
      await saved(one, old, save('a', { mode: 'adopt', absoluteEnd }))
      const { absoluteEnd: known } = await liveNow(other, old)
      assert(known <= old.madeAt + RULE.absoluteMs, 'the id bounds it')
      const shorter = { ...RULE, absoluteMs: HOUR_MS }
      assert.deepEqual(await other.read(shorter, old, read()), { kind: 'ended' })
    },
  ],
  [
    'ends without a use, and does not come back by one',
    async ([one, other]) => {
      const place = newPlace()
      await saved(one, place, save('a', { idleMs: SHORT_MS }))
      await eventually('it has ended', async () => {
        return (await other.read(RULE, place, read())).kind === 'ended'
      })
      assert.deepEqual(await one.read(RULE, place, read({ idleMs: DAY_MS })), { kind: 'ended' })
      assert.deepEqual(await one.save(RULE, place, save('b')), { kind: 'ended' })
    },
  ],
  [
    'lasts longer by a use, but not beyond its absolute end',
    async ([one, other]) => {
      const place = newPlace()
      const first = await saved(one, place, save('a', { idleMs: HOUR_MS }))
      const used = await liveNow(other, place, { idleMs: 2 * HOUR_MS })
      assert(used.endsAt >= first.endsAt + HOUR_MS)
      const late = await liveNow(other, place, { idleMs: 1_000 * DAY_MS })
      assert.equal(late.endsAt, late.absoluteEnd)
      assert(late.absoluteEnd <= late.now + RULE.absoluteMs)
    },
  ],
  [
    'does not write down a use soon after another one, nor a look',
    async ([one, other]) => {
      const place = newPlace()
      const rule: SessionRule = { ...RULE, touchEveryMs: HOUR_MS / 2 }
      const { endsAt } = await saved(one, place, save('a', { idleMs: HOUR_MS }))
      assert.equal((await liveNow(other, place, { idleMs: HOUR_MS, rule })).endsAt, endsAt)
      assert.equal((await liveNow(other, place)).endsAt, endsAt)
    },
  ],
]
