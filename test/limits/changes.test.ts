/** What changes a key from outside: giving back, resetting, blocking, setting; and who has to hear of it. */

import {
  createCacheManager,
  InvalidOptionError,
  type Limiter,
  type LimiterOptions,
  RateLimitedError,
  rateLimitHeaders,
} from '@larder/core'
import { localLimits, lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { ask } from './support/history.ts'
import { openRedisLimits } from './support/providers.ts'
import { exact, START_US } from './support/rules.ts'
import { setStage } from './support/stage.ts'

const FIVE = { limit: 5, per: '10s' } as const

async function useUp(limiter: Limiter, key = 'k'): Promise<void> {
  for (;;) {
    const { allowed } = await limiter.consume(key)
    if (!allowed) return
  }
}

describe('what is known to be refused', () => {
  it.each(['reset', 'refund', 'reward', 'set', 'block'] as const)(
    'ends with %s of a limiter that a thousand others came after',
    async (how) => {
      const { caches } = setStage()
      const login = caches.limiter({ name: 'login', limit: 1, per: '1h' })
      const first = await login.consume('ann')
      expect(await login.consume('ann')).toMatchObject({ allowed: false, source: 'remote' })
      if (how === 'block') await login.block('ann', '2h')
      for (let i = 0; i < 1_100; i++) caches.limiter({ name: `t${i}`, limit: i + 1, per: '1h' })
      expect(await login.consume('ann')).toMatchObject({
        allowed: false,
        ...(how === 'block' ? {} : { source: 'known' }),
      })
      if (how === 'reset') await login.reset('ann')
      if (how === 'refund') await login.refund(first)
      if (how === 'reward') await login.reward('ann')
      if (how === 'set') await login.set('ann', 0)
      if (how === 'block') {
        await login.block('ann', 0)
        await login.reset('ann')
      }
      expect(await login.consume('ann')).toMatchObject({ allowed: true })
    },
  )

  it('ends for every limiter of that name, made before or after', async () => {
    const { caches } = setStage()
    const one = caches.limiter({ name: 'x', limit: 1, per: '1h' })
    await one.consume('k')
    await one.consume('k')
    for (let i = 0; i < 1_100; i++) caches.limiter({ name: `t${i}`, limit: i + 1, per: '1h' })
    const other = caches.limiter({ name: 'x', limit: 1, per: '1h' })
    await other.reset('k')
    expect(await one.consume('k')).toMatchObject({ allowed: true })
  })

  it('is the wait of that very cost: whoever waits so long is served', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter({ limit: 10, per: '2s' })
    for (let i = 0; i < 10; i++) {
      await limiter.consume('k')
      clock.advance(100)
    }
    const one = await limiter.consume('k', 1)
    const five = await limiter.consume('k', 5)
    expect([one.retryAfterMs, five.retryAfterMs]).toEqual([1_000, 1_400])
    expect(await limiter.consume('k', 5)).toMatchObject({ source: 'known', retryAfterMs: 1_400 })
    clock.advance(five.retryAfterMs)
    expect(await limiter.consume('k', 5)).toMatchObject({ allowed: true })
  })

  it('is said anew once something else was admitted', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter({ limit: 10, per: '2s' })
    await limiter.consume('k', 8)
    clock.advance(500)
    await limiter.consume('k', 3)
    expect(await limiter.consume('k', 1)).toMatchObject({ allowed: true })
    clock.advance(500)
    const three = await limiter.consume('k', 3)
    expect(three).toMatchObject({ allowed: false, source: 'remote', retryAfterMs: 1_000 })
    await limiter.consume('k', 1)
    const again = await limiter.consume('k', 3)
    clock.advance(again.retryAfterMs)
    expect(await limiter.consume('k', 3)).toMatchObject({ allowed: true })
  })
})

describe('block', () => {
  it('admits nothing for a time, whatever is left, and then goes on as before', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter(FIVE)
    await limiter.consume('k')
    await limiter.block('k', '1m')
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, retryAfterMs: 60_000 })
    expect(await limiter.consume('other')).toMatchObject({ allowed: true })
    await expect(limiter.run('k', () => 1)).rejects.toThrow(RateLimitedError)
    clock.advance(60_000)
    expect(await limiter.consume('k')).toMatchObject({ allowed: true })
  })

  it('ends with a block of 0', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter(FIVE)
    await limiter.block('k', '1m')
    await limiter.block('k', 0)
    expect(await limiter.consume('k')).toMatchObject({ allowed: true, remaining: 4 })
  })

  it('holds in this process too while the store is away', async () => {
    const { caches, store } = setStage()
    const limiter = caches.limiter(FIVE)
    await limiter.block('k', '1m')
    store.mode = 'fail'
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, source: 'local' })
    expect(await limiter.consume('other')).toMatchObject({ allowed: true, source: 'local' })
  })

  it('checks its time', async () => {
    const { caches } = setStage()
    await expect(caches.limiter(FIVE).block('k', 'soon' as never)).rejects.toThrow(/block\.time/)
  })
})

describe('points', () => {
  it('are given back without the verdict they were counted with', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter(FIVE)
    await useUp(limiter)
    expect(await limiter.reward('k', 2)).toBe(2)
    expect(await limiter.peek('k', 0)).toMatchObject({ remaining: 2 })
    expect(await limiter.reward('k', 9)).toBe(3)
    expect(await limiter.reward('unknown')).toBe(0)
  })

  it('are set, and read', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter({
      policies: [
        { name: 'burst', limit: 3, per: '1s' },
        { name: 'daily', limit: 100, per: 'day' },
        { name: 'slots', limit: 2, algorithm: 'concurrency' },
      ],
    })
    expect(await limiter.set('k', 40)).toBe(40)
    expect((await limiter.peek('k', 0)).policies.map(({ remaining }) => remaining)).toEqual([
      0, 60, 2,
    ])
  })

  it.each([-1, 0.5, Number.NaN, '1'])('are whole: not %o', async (points) => {
    const { caches } = setStage()
    await expect(caches.limiter(FIVE).reward('k', points as number)).rejects.toThrow(/reward/)
    await expect(caches.limiter(FIVE).set('k', points as number)).rejects.toThrow(/set/)
  })

  it('are no business of permits', async () => {
    const { caches } = setStage()
    const slots = caches.limiter({ limit: 1, algorithm: 'concurrency' })
    await expect(slots.reward('k')).rejects.toThrow(InvalidOptionError)
  })
})

describe('a limit of 0', () => {
  it.each([
    { limit: 0, per: '1m' },
    { limit: 0, per: '1m', algorithm: 'smooth', hard: true },
    { limit: 0, per: 'day' },
    { limit: 0, algorithm: 'concurrency' },
  ] as const)('refuses all, asks nobody and never waits: %o', async (options) => {
    const { caches, store, clock } = setStage()
    const limiter = caches.limiter(options)
    const verdict = await limiter.consume('k', 3)
    expect(verdict).toMatchObject({ allowed: false, limit: 0, remaining: 0, source: 'known' })
    expect(verdict.retryAfterMs).toBe(Number.POSITIVE_INFINITY)
    expect(rateLimitHeaders(verdict)).not.toHaveProperty('Retry-After')
    expect(rateLimitHeaders(verdict)['RateLimit']).toBe('"default";r=0')
    await expect(limiter.run('k', () => 1)).rejects.toThrow(/never admits/)
    clock.advance(3_600_000)
    expect((await limiter.peek('k')).allowed).toBe(false)
    store.mode = 'fail'
    expect((await limiter.consume('k')).allowed).toBe(false)
    expect(store.asked).toEqual([])
  })

  it('among others refuses before they are asked, and does not wait', async () => {
    const { caches, store } = setStage()
    const limiter = caches.limiter({
      maxWait: '1s',
      policies: [
        { name: 'open', limit: 5, per: '1s' },
        { name: 'shut', limit: 0, per: '1s' },
      ],
    })
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, policy: 'shut' })
    expect(store.asked).toEqual([])
  })
})

describe('a limit that was lowered for a while', () => {
  it.each(
    (['window', 'fixed'] as const).flatMap((algorithm) =>
      (['local', 'redis'] as const).map((store) => ({ algorithm, store })),
    ),
  )(
    'with penalty, has forgotten nothing when it is raised again: $algorithm, $store',
    async ({ algorithm, store }) => {
      const caches = createCacheManager({
        namespace: freshNamespace(),
        default: false,
        limits: store === 'redis' ? openRedisLimits() : localLimits(),
      })
      onTestFinished(() => caches.close())
      const common = {
        name: 'x',
        per: '1d',
        slices: algorithm === 'window' ? 2 : undefined,
      } as const
      const more = {
        algorithm,
        penalty: true,
        storeTimeout: '20s',
        onStoreError: 'closed',
      } as const
      const high = caches.limiter({ ...common, ...more, limit: 20 })
      const low = caches.limiter({ ...common, ...more, limit: 5 })
      await high.consume('k', 15)
      expect(await low.consume('k')).toMatchObject({ allowed: false })
      expect((await high.peek('k', 0)).remaining).toBeLessThanOrEqual(5)
    },
  )
})

describe('turns that are given up together', () => {
  it('are given back in few steps, none of them long, and leave nothing behind', async () => {
    const limits = openRedisLimits()
    let decided = 0
    const steps: number[] = []
    const { decide, refundAll } = limits
    const caches = createCacheManager({
      namespace: freshNamespace(),
      default: false,
      limits: Object.assign(limits, {
        async decide(...args: Parameters<typeof decide>) {
          const replies = await decide.apply(limits, args)
          decided += replies.length
          return replies
        },
        async refundAll(...args: Parameters<NonNullable<typeof refundAll>>) {
          steps.push(args[1].length)
          return (await refundAll?.apply(limits, args)) ?? []
        },
      }),
    })
    onTestFinished(() => caches.close())
    const limiter = caches.limiter({
      limit: 1_000,
      per: '1h',
      maxWait: '1h',
      storeTimeout: '20s',
      onStoreError: 'closed',
    })
    await limiter.consume('k', 1_000)
    const impatient = new AbortController()
    const waiting = Array.from({ length: 900 }, () =>
      limiter.consume('k', 1, { signal: impatient.signal }),
    )
    await eventually('all have their turns', () => decided === 901)
    impatient.abort(new Error('gone'))
    const ends = await Promise.allSettled(waiting)
    expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(['rejected']))
    await eventually('all are given back', () => steps.length === 4)
    expect(steps).toEqual([256, 256, 256, 132])
    await eventually('nobody is waiting', async () => {
      const { resetMs } = await limiter.peek('k', 0)
      return resetMs <= 3_600_000
    })
    expect(await limiter.reward('k', 5_000)).toBe(1_000)
  }, 60_000)

  it.each(
    (['exact', 'window', 'smooth', 'fixed', 'calendar'] as const).flatMap((algorithm) =>
      (['local', 'redis'] as const).map((store) => ({ algorithm, store })),
    ),
  )(
    'leave the next caller no longer a wait than if they had never come: $algorithm, $store',
    async ({ algorithm, store }) => {
      const options: LimiterOptions = {
        limit: 20,
        ...(algorithm === 'calendar'
          ? { per: 'hour' as const }
          : { per: '20m' as const, algorithm }),
        maxWait: '1h',
        storeTimeout: '20s',
        onStoreError: 'closed',
      }
      const caches = createCacheManager({
        namespace: freshNamespace(),
        default: false,
        limits: store === 'redis' ? openRedisLimits() : localLimits(),
      })
      onTestFinished(() => caches.close())
      const limiter = caches.limiter(options)
      await limiter.consume('k', 20)
      const alone = await limiter.peek('k')
      const impatient = new AbortController()
      let ended = 0
      const waiting = Array.from({ length: 40 }, () =>
        limiter.consume('k', 1, { signal: impatient.signal }).finally(() => {
          ended += 1
        }),
      )
      await eventually('all turns are reserved', async () => {
        const { allowed, waitedMs } = await limiter.peek('k', 20)
        return !allowed || waitedMs > alone.waitedMs + 60_000
      })
      impatient.abort(new Error('gone'))
      await Promise.allSettled(waiting)
      expect(ended).toBe(40)
      await eventually('all turns are given back', async () => {
        const { allowed, waitedMs } = await limiter.peek('k')
        return allowed && waitedMs <= alone.waitedMs
      })
    },
    60_000,
  )

  it('are given back when the manager closes', async () => {
    const { caches, clock } = setStage()
    const limits = localLimits({ nowUs: () => START_US + clock.now() * 1_000 })
    limits.open('close')
    const { close } = limits
    const again = createCacheManager({
      namespace: 'close',
      clock,
      limits: Object.assign(limits, { close: async () => undefined }),
      default: false,
    })
    await caches.close()
    const limiter = again.limiter({ name: 'x', limit: 1, per: '1m', maxWait: '1h' })
    await limiter.consume('k')
    const waiting = [1, 2, 3].map(() => limiter.consume('k'))
    await clock.advanceAsync(1)
    await Promise.all([again.close(), Promise.allSettled(waiting)])
    const rule = {
      limiter: 'x',
      policies: [exact(1, 60_000_000, 'x')],
      maxWaitUs: 0,
      penalty: false,
      blockUs: 0,
    }
    const { states } = await ask(limits, rule, 0)
    expect(states[0]?.resetUs).toBe(59_999_000)
    await close.call(limits)
  })
})

describe('the first calls of a process', () => {
  it('wait for the first attempt to connect, and are decided by the store', async () => {
    let connect = (): void => undefined
    const connected = new Promise<void>((resolve) => {
      connect = resolve
    })
    const { caches, store, clock } = setStage()
    Object.assign(store, { whenTried: () => connected })
    const verdict = caches.limiter(FIVE).consume('k')
    await clock.advanceAsync(900)
    connect()
    expect(await verdict).toMatchObject({ allowed: true, source: 'remote' })
  })

  it('do not wait for long', async () => {
    const { caches, store, clock } = setStage()
    store.mode = 'hang'
    Object.assign(store, { whenTried: () => new Promise(() => undefined) })
    const verdict = caches.limiter(FIVE).consume('k')
    await clock.advanceAsync(1_000)
    await clock.advanceAsync(100)
    expect(await verdict).toMatchObject({ source: 'local' })
  })
})

describe('two managers of one namespace in a process', () => {
  const managers = (namespaces: readonly string[]) =>
    namespaces.map((namespace) => {
      const caches = createCacheManager({ namespace, local: lruStore(), default: false })
      onTestFinished(() => caches.close())
      return caches
    })

  it('share what they count in it, and hear of each other', async () => {
    const namespace = freshNamespace()
    const [one, other] = managers([namespace, namespace]).map((caches) => caches.limiter(FIVE))
    if (one === undefined || other === undefined) throw new Error('two were made')
    await useUp(one)
    expect(await other.consume('k')).toMatchObject({ allowed: false })
    await one.reset('k')
    expect(await other.consume('k')).toMatchObject({ allowed: true, remaining: 4 })
  })

  it('of two namespaces do not', async () => {
    const limiters = managers([freshNamespace(), freshNamespace()]).map((caches) =>
      caches.limiter(FIVE),
    )
    for (const limiter of limiters) {
      expect(await limiter.consume('k')).toMatchObject({ remaining: 4 })
    }
  })

  it('forget it when the last of them closes', async () => {
    const namespace = freshNamespace()
    const [one, other] = managers([namespace, namespace])
    if (one === undefined || other === undefined) throw new Error('two were made')
    await one.limiter(FIVE).consume('k', 3)
    const limiter = other.limiter(FIVE)
    expect(await limiter.consume('k')).toMatchObject({ remaining: 1 })
    await one.close()
    expect(await limiter.consume('k')).toMatchObject({ remaining: 0 })
    await other.close()
    const [third] = managers([namespace])
    expect(await third?.limiter(FIVE).consume('k')).toMatchObject({ remaining: 4 })
  })
})
