/** The conformance suite of session providers: on the provider's own time, with lives either long, or so short that they end meanwhile. */

import assert from 'node:assert/strict'
import type {
  SessionPlace,
  SessionProvider,
  SessionRule,
} from '../../contracts/session-provider.ts'
import { type ConformanceCase, PASSED } from './conformance-case.ts'
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
  SHORT_MS,
  save,
  saved,
  textIn,
} from './session-steps.ts'
import { type SessionCase, USER_CASES } from './user-session-cases.ts'

/** Two ends of one store; the same one twice where it is not shared. */
export interface SessionsUnderTest {
  /** Not open yet; the suite opens and closes them. */
  readonly sessions: readonly [SessionProvider, SessionProvider]
  /** Nobody else's. */
  readonly namespace: string
  /** Called after the providers were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeSessions = () => SessionsUnderTest | Promise<SessionsUnderTest>

const CASES: readonly SessionCase[] = [
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
  [
    'says where a session was moved to, and by whom first',
    async ([one, other]) => {
      const place = newPlace()
      await saved(one, place, save('a'))
      const until = Date.now() + HOUR_MS
      const to = { tag: 'first', until }
      assert.deepEqual(await one.move(RULE, place, to), { kind: 'moved', tag: 'first' })
      const second = { tag: 'second', until }
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
    'moves nothing that has ended, that is too old, or that is a user’s already',
    async ([one]) => {
      const [ended, ofUser] = [newPlace(), newPlace()]
      const old: SessionPlace = newPlace({ madeAt: Date.now() - 2 * HOUR_MS })
      await one.end(RULE, ended, false)
      await saved(one, ofUser, save('a', { ofUser: true }))
      const to = { tag: 'first', until: Date.now() + HOUR_MS }
      for (const place of [ended, ofUser, old])
        assert.deepEqual(await one.move(RULE, place, to), { kind: 'ended' })
    },
  ],
]

/**
 * Lists what every session provider must do, each on providers of its own.
 *
 * @example
 * runCases(sessionStoreCases(() => ({ sessions: [make(), make()], namespace: 'test' })), { test })
 */
export function sessionStoreCases(make: MakeSessions): readonly ConformanceCase[] {
  return [...CASES, ...USER_CASES].map(([name, run]) => ({
    name,
    async run() {
      const { sessions, namespace, cleanup } = await make()
      try {
        for (const end of sessions) end.open(namespace)
        await run(sessions)
        return PASSED
      } finally {
        await Promise.all(sessions.map((end) => end.close()))
        await cleanup?.()
      }
    },
  }))
}
