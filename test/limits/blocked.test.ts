/** A verdict says `blocked` of a key that is blocked, and of no other, whatever else refuses. */

import { type CacheManager, createCacheManager, type LimiterOptions } from '@larder/core'
import { lruStore } from '@larder/local-store'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freshNamespace, startNode } from '../support/nodes.ts'

const RULES: readonly LimiterOptions[] = [
  ...(['exact', 'window', 'smooth', 'fixed'] as const).flatMap((algorithm): LimiterOptions[] => [
    { algorithm, limit: 6, per: '50ms' },
    { algorithm, limit: 6, per: '50ms', maxWait: '30ms' },
    { algorithm, limit: 6, per: '50ms', penalty: true },
  ]),
  { algorithm: 'smooth', hard: true, limit: 6, per: '50ms' },
  { limit: 6, per: 'hour' },
  { algorithm: 'concurrency', limit: 6 },
  {
    policies: [
      { name: 'a', limit: 3, per: '20ms' },
      { name: 'b', limit: 6, per: '50ms', algorithm: 'smooth', burst: 3 },
    ],
    maxWait: '10ms',
  },
]

const STORES: Readonly<Record<string, () => CacheManager>> = {
  'in process': () => {
    const namespace = freshNamespace()
    const caches = createCacheManager({ namespace, local: lruStore(), default: false })
    onTestFinished(() => caches.close())
    return caches
  },
  Redis: () => startNode().caches,
}

describe.each(Object.entries(STORES))('%s', (_, start) => {
  it.each(RULES)('%o: a limit that is used up is no block', async (rule) => {
    const limiter = start().limiter(rule)
    await fc.assert(
      fc.asyncProperty(
        fc.uuid(),
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 5, maxLength: 20 }),
        async (key, costs) => {
          const verdicts = await Promise.all(costs.map((cost) => limiter.consume(key, cost)))
          for (const { blocked } of verdicts) expect(blocked).toBe(false)
          if (costs.length > 12) expect(verdicts.some(({ allowed }) => !allowed)).toBe(true)
        },
      ),
      { numRuns: 10 },
    )
  })

  it('a key that is blocked is, until the block ends, and so is one under a rule with a block', async () => {
    const caches = start()
    const limiter = caches.limiter({ limit: 2, per: '1h' })
    await limiter.block('k', '1h')
    for (const ask of [limiter.consume('k'), limiter.consume('k'), limiter.peek('k')])
      expect(await ask).toMatchObject({ allowed: false, blocked: true })
    await limiter.block('k', 0)
    expect(await limiter.consume('k')).toMatchObject({ allowed: true, blocked: false })

    const strict = caches.limiter({ limit: 1, per: '1h', block: '2h' })
    expect(await strict.consume('k')).toMatchObject({ allowed: true, blocked: false })
    expect(await strict.consume('k')).toMatchObject({ allowed: false, blocked: true })
  })

  it('a limit of 0 blocks nobody', async () => {
    const limiter = start().limiter({ limit: 0, per: '1h' })
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, blocked: false })
  })
})
