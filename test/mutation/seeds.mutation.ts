/**
 * Some seeds of the simulation, each a test of its own: a mutant is judged by the seeds that reach it, and the first that
 * fails ends it. Not named `*.test.ts`, because `npm test` runs far more of them.
 */

import { expect, it } from 'vitest'
import { simulate } from '../simulation/simulate.ts'

const SEEDS = Array.from({ length: 24 }, (_, i) => i + 1)

it.each(SEEDS)('seed %i goes against nothing', async (seed) => {
  const { violation, history } = await simulate(seed)
  expect(violation, history(20)).toBeUndefined()
})
