/** One limit for several processes, some of which are stopped or killed. */

import type { LimiterOptions } from '@larder/core'
import type { RateLimitProvider } from '@larder/core/store'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { startWorker, type WorkerProcess } from '../support/process/worker.ts'
import type { worker } from './limits.worker.ts'
import { ask, densestWindow, type Entry } from './support/history.ts'
import { openRedisLimits } from './support/providers.ts'
import { exact, ruleOf, sliced, smooth } from './support/rules.ts'

type LimitsWorker = WorkerProcess<typeof worker>

async function startWorkers(count: number, namespace = freshNamespace()): Promise<LimitsWorker[]> {
  const init = { namespace, store: { url: inject('redisUrl') } }
  const workers = await Promise.all(
    Array.from({ length: count }, () =>
      startWorker<typeof worker>(new URL('./limits.worker.ts', import.meta.url), init),
    ),
  )
  onTestFinished(async () => {
    await Promise.all(workers.map((each) => each.stop()))
  })
  return workers
}

const PATIENT = { storeTimeout: '20s', onStoreError: 'closed' } as const

describe('several processes', () => {
  it.each(['exact', 'window', 'smooth', 'fixed'] as const)(
    '%s: together get exactly the limit',
    async (algorithm) => {
      const workers = await startWorkers(3)
      const options: LimiterOptions = { ...PATIENT, limit: 500, per: '1d', algorithm, name: 'x' }
      const counts = await Promise.all(
        workers.map((each) => each.call('consume', options, 'k', 400)),
      )
      const admitted = counts.reduce((sum, count) => sum + (count['allowed remote'] ?? 0), 0)
      expect(admitted).toBe(500)
      for (const count of counts) expect(count['allowed local']).toBeUndefined()
    },
    60_000,
  )

  it('one that is stopped in the middle, and one that is killed, change nothing for the others', async () => {
    const [stopped, killed, third] = await startWorkers(3)
    if (!stopped || !killed || !third) throw new Error('three were started')
    const options: LimiterOptions = { ...PATIENT, limit: 300, per: '1d' }
    const asked = stopped.call('consume', options, 'k', 200)
    const lost = killed.call('consume', options, 'k', 100_000).catch(() => ({}))
    stopped.pause()
    const counts = await third.call('consume', options, 'k', 400)
    await killed.kill()
    stopped.resume()
    const late = await asked
    await lost
    const known = (counts['allowed remote'] ?? 0) + (late['allowed remote'] ?? 0)
    expect(known).toBeLessThanOrEqual(300)
    // What the killed one was given is not known; nobody is given more.
    expect(await third.call('consume', options, 'k', 20)).toEqual(
      expect.not.objectContaining({ 'allowed remote': expect.anything() }),
    )
  }, 60_000)

  it('R12: that wait are served one by one, and none too early', async () => {
    const workers = await startWorkers(3)
    const options: LimiterOptions = { ...PATIENT, limit: 1, per: '50ms', maxWait: '1m' }
    const begunAt = Date.now()
    const turns = await Promise.all(workers.map((each) => each.call('takeTurns', options, 'k', 8)))
    const sorted = turns.flat().sort((a, b) => a - b)
    expect(sorted).toHaveLength(24)
    // All processes are on one machine, and no turn is measured before it came.
    expect((sorted.at(-1) ?? 0) - begunAt).toBeGreaterThanOrEqual(23 * 50)
    for (const own of turns) expect(own).toHaveLength(8)
  }, 60_000)

  it('a permit of a killed process is free after its term', async () => {
    const [killed, other] = await startWorkers(2)
    if (!killed || !other) throw new Error('two were started')
    const options: LimiterOptions = {
      ...PATIENT,
      limit: 1,
      algorithm: 'concurrency',
      // Longer than a busy machine needs for the next call.
      lease: '8s',
      name: 'slots',
    }
    expect(await killed.call('hold', options, 'k')).toBe(true)
    expect(await other.call('hold', options, 'k')).toBe(false)
    await killed.kill()
    let isFree = false
    while (!isFree) isFree = await other.call('hold', options, 'k')
    expect(isFree).toBe(true)
  }, 60_000)
})

describe("R1 on the server's own clock: no window gets more than the limit", () => {
  const WINDOW_US = 200_000
  /** Of admissions: more than go into some windows. */
  const ENOUGH = 60
  it.each([
    ['exact', exact(20, WINDOW_US)],
    ['window', sliced(20, WINDOW_US, 10)],
    ['hard smooth', smooth(20, WINDOW_US, { burst: 10, intervalUs: Math.ceil(WINDOW_US / 11) })],
  ])(
    '%s',
    async (_, policy) => {
      const namespace = freshNamespace()
      const clients = [1, 2, 3].map(() => openRedisLimits(undefined, namespace))
      const rule = ruleOf([policy])
      const until = performance.now() + 30_000
      let admissions = 0
      const hammer = async (client: RateLimitProvider): Promise<readonly Entry[]> => {
        const entries: Entry[] = []
        while (admissions < ENOUGH && performance.now() < until) {
          const cost = 1 + (entries.length % 3)
          const { admitted, nowUs } = await ask(client, rule, cost)
          if (!admitted) continue
          entries.push({ atUs: nowUs, cost })
          admissions += 1
        }
        return entries
      }
      const entries = (await Promise.all(clients.map(hammer))).flat()
      expect(entries.length).toBeGreaterThan(20)
      expect(densestWindow(entries, WINDOW_US)).toBeLessThanOrEqual(20)
    },
    60_000,
  )
})

describe('R6: the clocks of the clients decide nothing', () => {
  it.each([-3_600_000, 3_600_000, 40 * 24 * 3_600_000])(
    'a machine whose clock is off by %i ms',
    async (skewMs) => {
      const namespace = freshNamespace()
      const right = openRedisLimits(undefined, namespace)
      const wrong = openRedisLimits(undefined, namespace)
      const rule = ruleOf([
        { name: 'day', limit: 3, algorithm: 'calendar', period: 'day', timeZone: 'Asia/Tokyo' },
        exact(3, 60_000_000, 'minute'),
        sliced(3, 60_000_000, 10, 'sliced'),
      ])
      const realNow = Date.now
      onTestFinished(() => {
        Date.now = realNow
      })
      const skewed = async <Result>(run: () => Promise<Result>): Promise<Result> => {
        Date.now = () => realNow() + skewMs
        const result = run()
        return result.finally(() => {
          Date.now = realNow
        })
      }
      const replies = [
        await ask(right, rule),
        await skewed(() => ask(wrong, rule)),
        await ask(right, rule),
        await skewed(() => ask(wrong, rule)),
      ]
      expect(replies.map(({ admitted }) => admitted)).toEqual([true, true, true, false])
      const resets = replies.map(({ nowUs, states }) => nowUs + (states[0]?.resetUs ?? 0))
      expect(new Set(resets).size).toBe(1)
    },
  )
})
