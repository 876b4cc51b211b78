/** R6 and R14 through HTTP: the clocks of clients and of servers decide nothing, and that of the store may be set back. */

import type { CacheManager, OnePolicy } from '@larder/core'
import type { Clock } from '@larder/core/store'
import { ManualClock } from '@larder/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { densestWindow, type Entry } from '../limits/support/history.ts'
import { freshNamespace, startNode } from '../support/nodes.ts'
import { type Answer, as, ask } from './support/client.ts'
import { type AnyRequest, FRAMEWORKS } from './support/frameworks.ts'
import { PATIENT } from './support/stores.ts'
import { managerOn, StageTime, TIMED_STORES } from './support/timed.ts'

const HOUR_MS = 3_600_000
const byUser = (request: AnyRequest): string => request.header('x-user') ?? 'nobody'

/** Runs something while the wall clock of this process is off. */
async function skewed<Result>(ms: number, run: () => Promise<Result>): Promise<Result> {
  const { now } = Date
  onTestFinished(() => {
    Date.now = now
  })
  Date.now = () => now() + ms
  return run().finally(() => {
    Date.now = now
  })
}

/** A machine whose wall clock is off, and whose time does not pass. */
function clockOff(ms: number): Clock {
  return new ManualClock(Date.now() + ms)
}

describe.each(FRAMEWORKS)('$name', (framework) => {
  describe.each([-HOUR_MS, HOUR_MS, 40 * 24 * HOUR_MS])(
    'R6: clocks that are off by %i ms',
    (ms) => {
      it('decide nothing, and change no field', async () => {
        const namespace = freshNamespace()
        const serverOf = (caches: CacheManager) => {
          const limiter = caches.limiter({
            ...PATIENT,
            name: 'api',
            policies: [
              { name: 'sliding', limit: 3, per: '2h' },
              { name: 'daily', limit: 50, per: 'day', timeZone: 'Asia/Tokyo' },
            ],
          })
          // In draft 10, `t` is when everything is available again, and nothing else.
          return framework.start({ limiter, key: byUser, draft: 10 })
        }
        const right = await serverOf(startNode({ namespace }).caches)
        const wrong = await serverOf(startNode({ namespace, clock: clockOff(ms) }).caches)
        const date = new Date(Date.now() + ms).toUTCString()
        const client = { headers: { 'x-user': 'a', date } }
        const answers: Answer[] = []
        for (let i = 0; i < 2; i++) {
          answers.push(await ask(`${right.url}/ok`, as('a')))
          answers.push(await skewed(ms, () => ask(`${wrong.url}/ok`, client)))
        }
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429])
        expect(answers.map(({ limits }) => limits[0]?.['r'])).toEqual([2, 1, 0, 0])
        const daily = answers.map(({ limits }) => Number(limits[1]?.['t'] ?? Number.NaN))
        // The refusal leaves out what ends after its Retry-After. A minute is room for a busy machine, and no skew.
        const known = daily.filter((seconds) => !Number.isNaN(seconds))
        expect(known.length).toBeGreaterThanOrEqual(3)
        expect(Math.max(...known) - Math.min(...known)).toBeLessThan(60)
        const retryAfter = Number(answers[3]?.headers.get('retry-after'))
        expect(retryAfter).toBeGreaterThan(7_200 - 60)
        expect(retryAfter).toBeLessThanOrEqual(7_200)
      })
    },
  )

  describe.each(TIMED_STORES)('%s: R14: a store whose clock is set back', (_, open) => {
    const start = async (rule: Partial<OnePolicy>) => {
      const time = new StageTime()
      const caches = managerOn(open(time), time)
      const limiter = caches.limiter({ onStoreError: 'closed', ...rule } as never)
      const { url } = await framework.start({ limiter, key: byUser })
      return { time, once: () => ask(`${url}/ok`, as('a')) }
    }

    it.each(['exact', 'window'] as const)(
      '%s: serves nobody more than the limit',
      async (algorithm) => {
        const { time, once } = await start({ algorithm, limit: 4, per: '10s' })
        const served: Entry[] = []
        let realMs = 0
        for (let step = 0; step < 30; step++) {
          for (let i = 0; i < 2; i++) {
            const { status } = await once()
            if (status === 200) served.push({ atUs: realMs * 1_000, cost: 1 })
          }
          time.pass(1_300)
          realMs += 1_300
          if (step % 7 === 6) time.setBack(step % 2 === 0 ? 3_000 : 24 * HOUR_MS)
        }
        expect(served.length).toBeGreaterThan(8)
        expect(densestWindow(served, 10_000_000)).toBeLessThanOrEqual(4)
      },
    )

    it.each(['exact', 'window', 'smooth', 'fixed'] as const)(
      '%s: refuses nobody for longer than a window, and the refusal that was known',
      async (algorithm) => {
        for (const isKnown of [false, true]) {
          const { time, once } = await start({ algorithm, limit: 2, per: '10s' })
          for (let i = 0; i < (isKnown ? 3 : 2); i++) await once()
          time.setBack(1_000 * HOUR_MS)
          let deniedMs = 0
          for (let answer = await once(); answer.status !== 200; answer = await once()) {
            expect(answer.status).toBe(429)
            const ms = Number(answer.headers.get('retry-after')) * 1_000
            expect(ms).toBeGreaterThan(0)
            deniedMs += ms
            time.pass(ms)
          }
          expect(deniedMs).toBeGreaterThan(0)
          // Retry-After has whole seconds.
          expect(deniedMs).toBeLessThanOrEqual(isKnown ? 22_000 : 11_000)
        }
      },
    )
  })
})
