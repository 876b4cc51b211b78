/**
 * The scripts do what the model does: the same steps at the same times give the same answers, and leave the same state.
 *
 * The model is the in-process provider. Time is injected into both, so a run says nothing about clocks and everything
 * about the steps. (L8: repeated and reordered requests are among the steps.)
 */

import fc from 'fast-check'
import { inject, it } from 'vitest'
import { LockTable } from '../../packages/local-store/src/locks/lock-table.ts'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { RedisLocks } from '../../packages/redis-store/src/locks/redis-locks.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'

type Mode = 'write' | 'read' | 'permit'

interface Step {
  readonly kind: 'acquire' | 'renew' | 'release' | 'leave' | 'inspect'
  readonly name: string
  readonly mode: Mode
  readonly owner: string
  readonly permits: number
  readonly weight: number
  readonly termMs: number
  readonly heartbeatMs: number
  /** How long after the step before; below zero where the clock is set back. */
  readonly afterUs: number
}

const START_US = 1_700_000_000_000_000
const seed = testSeed()

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('acquire', 'acquire', 'acquire', 'renew', 'release', 'leave', 'inspect'),
  name: fc.constantFrom('a', 'b}'),
  mode: fc.constantFrom('write', 'write', 'read', 'permit'),
  owner: fc.constantFrom('o1', 'o2', 'o3', 'o4'),
  permits: fc.integer({ min: 1, max: 5 }),
  weight: fc.constantFrom(1, 1, 2, 3),
  termMs: fc.constantFrom(100, 1_000, 5_000),
  heartbeatMs: fc.constantFrom(0, 300, 300, 1_000),
  afterUs: fc.oneof(
    { weight: 10, arbitrary: fc.integer({ min: 0, max: 900 }) },
    { weight: 10, arbitrary: fc.integer({ min: 1, max: 700_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: -3_600_000_000, max: -1 }) },
  ),
})

it('gives the answers of the model, whatever the steps', async () => {
  const options = resolveRedisStoreOptions({ url: inject('redisUrl') })
  const backend = new Backend(options)
  let nowUs = START_US
  const locks = new RedisLocks({ backend, options, ownsBackend: true, nowUs: () => nowUs })
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const table = new LockTable(() => undefined)
        locks.open(freshNamespace())
        nowUs = START_US
        let isSetBack = false
        const fences = [new RisingFences(), new RisingFences()] as const
        for (const each of steps) {
          nowUs += each.afterUs
          isSetBack ||= each.afterUs < 0
          const [expected, actual] = [onModel(table, each, nowUs), await onRedis(locks, each)].map(
            (answer, i) => (isSetBack ? fences[i]?.checked(each, answer) : answer),
          )
          if (JSON.stringify(actual) !== JSON.stringify(expected)) {
            throw new Error(
              `${JSON.stringify(each)}: Redis says ${JSON.stringify(actual)}, the model ${JSON.stringify(expected)}`,
            )
          }
        }
      }),
      { seed: seed | 0, numRuns: 250 },
    )
  } finally {
    await locks.close()
  }
}, 120_000)

function onModel(table: LockTable, step: Step, nowUs: number): unknown {
  if (step.kind === 'acquire') return table.acquire(step, nowUs)
  if (step.kind === 'renew') return table.renew(step, step.termMs, nowUs)
  if (step.kind === 'release') return table.release(step, nowUs)
  if (step.kind === 'inspect') return inspected(table.inspect(step.name, nowUs))
  table.leave(step, nowUs)
  return undefined
}

async function onRedis(locks: RedisLocks, step: Step): Promise<unknown> {
  if (step.kind === 'acquire') return locks.acquire({ ...step, replicas: undefined })
  if (step.kind === 'renew') return locks.renew(step, step.termMs)
  if (step.kind === 'release') return locks.release(step)
  if (step.kind === 'inspect') return inspected(await locks.inspect(step.name))
  await locks.leave(step)
  return undefined
}

/**
 * Which fences are handed out where the clock was set back: the model's may be higher, as it remembers one of all idle locks.
 * Each has to rise for itself.
 */
class RisingFences {
  readonly #last = new Map<string, number>()

  checked({ name, mode }: Step, answer: unknown): unknown {
    if (typeof answer !== 'object' || answer === null || !('fence' in answer)) return answer
    const { kind, fence } = answer as { readonly kind?: string; readonly fence: number }
    const last = this.#last.get(name) ?? 0
    if (kind === 'granted') this.#last.set(name, fence)
    // A writer that asks twice is told its own.
    const rises = fence > last || (mode === 'write' && fence === last) || kind !== 'granted'
    return { ...answer, fence: rises ? 'rises' : `${fence} after ${last}` }
  }
}

/** The model forgets the fence of an idle lock, and mints above it all the same. */
function inspected(state: Awaited<ReturnType<RedisLocks['inspect']>>): unknown {
  const isIdle = state.holders.length === 0 && state.waiting === 0
  return { ...state, holders: [...state.holders].sort(byOwner), fence: isIdle ? 0 : state.fence }
}

function byOwner(a: { readonly owner: string }, b: { readonly owner: string }): number {
  return a.owner < b.owner ? -1 : 1
}
