/** What limiters promise, through servers and on a clock that stands still: windows, waits, changed limits, what is asked and what is not. */

import type { LimiterOptions, OnePolicy } from '@larder/core'
import { describe, expect, it } from 'vitest'
import { setStage } from '../limits/support/stage.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, as, ask } from './support/client.ts'
import { type AnyRequest, FRAMEWORKS } from './support/frameworks.ts'

const byUser = (request: AnyRequest): string => request.header('x-user') ?? 'nobody'
const statusesOf = (answers: readonly Answer[]): readonly number[] =>
  answers.map(({ status }) => status)

describe.each(FRAMEWORKS)('$name', (framework) => {
  const start = async (rule: LimiterOptions, options: object = {}) => {
    const stage = setStage()
    const limiter = stage.caches.limiter(rule)
    const server = await framework.start({ limiter, key: byUser, ...options })
    const once = (user = 'a') => ask(`${server.url}/ok`, as(user))
    const times = async (count: number): Promise<readonly Answer[]> => {
      const answers: Answer[] = []
      for (let i = 0; i < count; i++) answers.push(await once())
      return answers
    }
    return { ...stage, limiter, server, once, times }
  }

  it.each(['exact', 'window', 'smooth', 'fixed'] as const)(
    'R2, R3, %s: refuses until Retry-After, admits then, and serves the limit again and again',
    async (algorithm) => {
      const { clock, times } = await start({ algorithm, limit: 3, per: '9s' } as OnePolicy)
      expect(statusesOf(await times(3))).toEqual([200, 200, 200])
      for (let round = 0; round < 3; round++) {
        const [refused] = await times(1)
        expect(refused?.status).toBe(429)
        const seconds = Number(refused?.headers.get('retry-after'))
        expect(seconds).toBeGreaterThan(0)
        clock.advance((seconds - 1) * 1_000)
        const [early] = await times(1)
        expect(early?.status).toBe(429)
        clock.advance(1_000)
        expect(statusesOf(await times(1))).toEqual([200])
        // As good as new for the next round.
        clock.advance(60_000)
        expect(statusesOf(await times(3))).toEqual([200, 200, 200])
      }
    },
  )

  it('R1: any window gets the limit at most, whenever its requests come', async () => {
    const { clock, times } = await start({ limit: 4, per: '10s' })
    const servedAt: number[] = []
    for (let step = 0; step < 40; step++) {
      const answers = await times(2)
      for (const { status } of answers) if (status === 200) servedAt.push(clock.now())
      clock.advance(700)
    }
    expect(servedAt.length).toBeGreaterThan(8)
    for (const from of servedAt) {
      const inWindow = servedAt.filter((at) => at >= from && at < from + 10_000)
      expect(inWindow.length).toBeLessThanOrEqual(4)
    }
  })

  it('R7: a changed limit holds from the next request on', async () => {
    let limit = 2
    const { times } = await start({ name: 'plans', limit: () => limit, per: '1h' })
    expect(statusesOf(await times(3))).toEqual([200, 200, 429])
    limit = 4
    const [raised] = await times(1)
    expect(raised).toMatchObject({ status: 200 })
    expect(raised?.policies).toMatchObject([{ name: 'plans', q: 4 }])
    limit = 1
    expect(statusesOf(await times(1))).toEqual([429])
  })

  it('R10: what is known to be refused is not asked again, and a refund ends that', async () => {
    const { store, limiter, times, once } = await start({ limit: 1, per: '1h' })
    await times(2)
    const asked = store.asked.length
    expect(statusesOf(await times(5))).toEqual([429, 429, 429, 429, 429])
    expect(store.asked).toHaveLength(asked)
    await limiter.reward('a')
    expect((await once()).status).toBe(200)
  })

  it('R13: a store that hangs is not waited for longer than it is allowed', async () => {
    const { store, clock, once, times } = await start({
      limit: 5,
      per: '1h',
      onStoreError: 'closed',
      storeTimeout: '100ms',
    })
    await times(1)
    store.mode = 'hang'
    const asked = store.asked.length
    const hanging = once()
    await eventually('it is asked', () => store.asked.length > asked)
    clock.advance(101)
    expect((await hanging).status).toBe(503)
    store.mode = 'answer'
    await eventually('the breaker lets it be asked', async () => {
      clock.advance(1_000)
      return (await once()).status === 200
    })
  })

  it('R12: turns are served in the order of arrival, each at its time', async () => {
    const { clock, store, once } = await start({ limit: 1, per: '10s', maxWait: '25s' })
    expect((await once()).status).toBe(200)
    const served: number[] = []
    const waiting: Promise<Answer>[] = []
    for (const i of [2, 3]) {
      waiting.push(
        once().then((answer) => {
          served.push(i)
          return answer
        }),
      )
      await eventually('it has its turn', () => store.asked.length === i && clock.pending >= i - 1)
    }
    // A fourth would wait for too long.
    expect((await once()).headers.get('retry-after')).toBe('5')
    clock.advance(10_000)
    expect((await waiting[0])?.status).toBe(200)
    expect(served).toEqual([2])
    clock.advance(10_000)
    expect((await waiting[1])?.status).toBe(200)
  })

  it('R15: a limit of one, of a thousand million, a cost that is all of it, and one of nothing', async () => {
    const one = await start({ limit: 1, per: '1ms' })
    expect(statusesOf(await one.times(2))).toEqual([200, 429])
    const huge = await start({ limit: 1_000_000_000, per: '3650d' }, { cost: () => 1_000_000_000 })
    const [all, more] = await huge.times(2)
    expect(all?.limits[0]).toMatchObject({ r: 0 })
    expect(more?.status).toBe(429)
    expect(Number(more?.headers.get('retry-after'))).toBeGreaterThan(300_000_000)
    const free = await start({ limit: 1, per: '1h' }, { cost: () => 0 })
    expect(statusesOf(await free.times(3))).toEqual([200, 200, 200])
    expect((await free.once()).limits[0]).toMatchObject({ r: 1 })
    const none = await start({ limit: 0, per: '1h' })
    const [refused] = await none.times(1)
    expect(refused).toMatchObject({ status: 429 })
    expect(refused?.headers.get('retry-after')).toBeNull()
    expect(refused?.limits[0]).not.toHaveProperty('t')
  })
})
