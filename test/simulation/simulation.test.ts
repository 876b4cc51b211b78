/**
 * The engine on a simulated network, clock and store: thousands of histories, each checked against the protocol.
 *
 * `node test/simulation/run.mjs --help` runs more of them, and replays the one that a failure names.
 */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testSeed } from '../support/seed.ts'
import { isBorne } from './open.ts'
import { FAULTS, OPERATIONS, planOf } from './plan.ts'
import { without } from './removals.ts'
import { runSeeds } from './seeds.ts'
import { simulate } from './simulate.ts'
import { THEME_NAMES } from './themes.ts'

/** The same seeds every time, so that a change is judged by what it did; `SEED` begins elsewhere. */
const FIRST_SEED = process.env.SEED === undefined ? 1 : testSeed()
const SEEDS = 2_000
const LONG_MS = 240_000

it(`nothing goes against the protocol in ${SEEDS} histories (SEED=${FIRST_SEED})`, {
  timeout: LONG_MS,
}, async () => {
  const { failures, count } = await runSeeds({ from: FIRST_SEED, count: SEEDS })
  const [failure] = failures
  if (failure !== undefined)
    expect.fail(`seed ${failure.seed}: ${failure.violation}\n\n${failure.history()}`)
  expect(count).toBe(SEEDS)
})

describe('a seed', () => {
  it('gives the same history every time, whatever ran before it', async () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8]
    const histories: string[] = []
    for (const seed of seeds) histories.push((await simulate(seed)).history())
    for (const seed of seeds.toReversed()) {
      expect((await simulate(seed)).history()).toBe(histories[seed - 1])
    }
    expect(new Set(histories).size).toBe(seeds.length)
  })

  it('gives the same history in another process, as the replay prints it', {
    timeout: LONG_MS,
  }, async () => {
    const { history } = await simulate(11)
    const program = join(import.meta.dirname, 'run.mjs')
    const { stdout } = spawnSync(process.execPath, [program, '--seed', '11'], { encoding: 'utf8' })
    expect(stdout).toBe(`${history()}\nNothing went against the protocol.\n`)
  })
})

it('a few hundred seeds meet every fault, theme and operation', () => {
  const plans = Array.from({ length: 300 }, (_, seed) => planOf(seed))
  const met = plans.flatMap(({ faults, operations, theme }) => [...faults, ...operations, theme])
  const borne = [...FAULTS, ...THEME_NAMES].filter((name) => isBorne(name))
  expect([...new Set(met)]).toEqual(expect.arrayContaining([...borne, ...OPERATIONS, undefined]))
})

describe('the simulation finds a counterexample without', () => {
  const WITHIN = 4_000

  it.each([
    'flight kill',
    'early birth',
    'comparing heads',
    'noting heads',
    'the end of trust',
    'doubt after lost history',
    'judging by tags',
    'judging by soft tags',
    're-assertion',
    'the recovery queue',
    'comparing an updated entry',
  ])('%s', { timeout: LONG_MS }, async (mechanism) => {
    const { failures } = await without(mechanism, () => runSeeds({ from: 1, count: WITHIN }))
    expect(failures[0]?.violation).toBeDefined()
  })
})
