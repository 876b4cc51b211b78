/**
 * The scripts do what the model does: the same steps at the same times give the same answers, and leave the same state.
 *
 * The model is the in-process provider's table. Time is injected into both, so a run says nothing about clocks and everything about
 * the steps; that the clock is set back is among them.
 */

import fc from 'fast-check'
import { inject, it } from 'vitest'
import { SessionTable } from '../../packages/local-store/src/sessions/session-table.ts'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { RedisSessions } from '../../packages/redis-store/src/sessions/redis-sessions.ts'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'

const START_MS = 1_900_000_000_000
const HOUR_MS = 3_600_000
/** All times are in this, so that the server, whose own clock runs on, expires nothing during a history. */
const UNIT_MS = 20_000
const RUNS = Number(process.env['RUNS'] ?? 250)
const seed = testSeed()

const rule = fc.record({
  sessions: fc.constant('web'),
  absoluteMs: fc.constantFrom(2 * HOUR_MS, 24 * HOUR_MS),
  touchEveryMs: fc.constantFrom(0, 60_000),
  maxPerUser: fc.constantFrom(1, 2, 100),
  lateMs: fc.constant(HOUR_MS),
})

const place = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      tag: fc.constantFrom('u', 'v'),
      name: fc.constantFrom('a', 'b', 'c'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ tag: 'x', name: 'a' }) },
)

/** Each id keeps the time that it was made at: half of them say when. */
const MADE_AT: Readonly<Record<string, number>> = {
  ua: START_MS,
  ub: START_MS + 2 * UNIT_MS,
  uc: 0,
  va: START_MS + HOUR_MS / 2,
  vb: 0,
  vc: START_MS - HOUR_MS / 2,
  // As strangers make them: nothing can begin at such a time.
  xa: START_MS + 1_000 * HOUR_MS,
}

const save = fc.record({
  mode: fc.constantFrom('create', 'upsert', 'upsert', 'update', 'adopt', 'adoptOver'),
  bytes: fc.uint8Array({ maxLength: 5 }),
  idleMs: fc.constantFrom(UNIT_MS, 60_000, HOUR_MS / 2, 6 * HOUR_MS),
  expected: fc.constantFrom(0, 0, 0, 1, -1),
  ofUser: fc.boolean(),
  absoluteEnd: fc.constantFrom(0, START_MS + 3 * HOUR_MS),
})

const step = fc.record({
  kind: fc.constantFrom('read', 'read', 'save', 'save', 'save', 'end', 'move', 'endAll', 'list'),
  place,
  rule,
  save,
  idleMs: fc.constantFrom(0, UNIT_MS, HOUR_MS / 2, 6 * HOUR_MS),
  wantsBytes: fc.boolean(),
  until: fc.constantFrom(START_MS + HOUR_MS, START_MS + 9 * HOUR_MS),
  /** How long after the step before; below zero where the clock is set back. */
  afterMs: fc
    .oneof(
      { weight: 10, arbitrary: fc.integer({ min: 0, max: 3 }) },
      { weight: 10, arbitrary: fc.integer({ min: 1, max: HOUR_MS / UNIT_MS }) },
      { weight: 1, arbitrary: fc.integer({ min: (-2 * HOUR_MS) / UNIT_MS, max: -1 }) },
    )
    .map((units) => units * UNIT_MS),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

it('gives the answers of the model, whatever the steps', async () => {
  const options = resolveRedisStoreOptions({ url: inject('redisUrl') })
  const backend = new Backend(options)
  let now = START_MS
  const sessions = new RedisSessions({
    backend,
    options,
    ownsBackend: true,
    nowUs: () => now * 1_000,
  })
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const table = new SessionTable()
        sessions.open(freshNamespace())
        now = START_MS
        const versions = new Map<string, number>()
        for (const each of steps) {
          now += each.afterMs
          const known = versions.get(each.place.tag + each.place.name) ?? 0
          const expected = onModel(table, each, { now, known })
          const actual = await onRedis(sessions, each, known)
          const [wanted, given] = [expected, actual].map((answer) => JSON.stringify(shown(answer)))
          if (given !== wanted) {
            throw new Error(`${JSON.stringify(each)}: Redis says ${given}, the model ${wanted}`)
          }
          const { version } = expected as { readonly version?: number }
          if (version !== undefined) versions.set(each.place.tag + each.place.name, version)
        }
      }),
      { seed: seed | 0, numRuns: RUNS },
    )
  } finally {
    await sessions.close()
  }
}, 240_000)

function onModel(
  table: SessionTable,
  given: Step,
  { now, known }: { readonly now: number; readonly known: number },
): unknown {
  const { kind, rule, wantsBytes, idleMs } = given
  const at = placeOf(given)
  if (kind === 'read') return table.read(rule, at, { idleMs, wantsBytes }, now)
  if (kind === 'save') return table.save(rule, at, saveOf(given, known), now)
  if (kind === 'end') return table.end(rule, at, wantsBytes, now)
  if (kind === 'move')
    return table.move(
      rule,
      at,
      { tag: 'w', until: given.until, expected: expectedOf(given, known) },
      now,
    )
  if (kind === 'endAll') return table.endAll(at.tag, exceptOf(given), now)
  return table.list(at.tag, now)
}

async function onRedis(sessions: RedisSessions, given: Step, known: number): Promise<unknown> {
  const { kind, rule, wantsBytes, idleMs } = given
  const at = placeOf(given)
  if (kind === 'read') return sessions.read(rule, at, { idleMs, wantsBytes })
  if (kind === 'save') return sessions.save(rule, at, saveOf(given, known))
  if (kind === 'end') return sessions.end(rule, at, wantsBytes)
  if (kind === 'move')
    return sessions.move(rule, at, {
      tag: 'w',
      until: given.until,
      expected: expectedOf(given, known),
    })
  if (kind === 'endAll') return sessions.endAll(rule, at.tag, exceptOf(given))
  return sessions.list(rule, at.tag)
}

function placeOf({ place: { tag, name } }: Step) {
  return { tag, name, madeAt: MADE_AT[tag + name] ?? 0 }
}

/** -1 stands for the version that was seen last, 1 for one that never was. */
function expectedOf({ save }: Step, known: number): number {
  return save.expected === -1 ? known : save.expected
}

function saveOf(given: Step, known: number) {
  return { ...given.save, expected: expectedOf(given, known) }
}

function exceptOf({ place, wantsBytes }: Step): string | undefined {
  return wantsBytes ? place.name : undefined
}

function shown(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('bytes' in answer)) return answer
  return { ...answer, bytes: [...(answer.bytes as Uint8Array)] }
}
