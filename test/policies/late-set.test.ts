/** Writes that arrive late: given up by their node and overtaken by another's, or overtaken by their own node's. */

import { type Cache, createCacheManager } from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'

interface Stage {
  readonly clock: ManualClock
  readonly a: Cache<string>
  readonly b: Cache<string>
  /** From now on puts do not arrive; or they do, again. */
  hold(isHolding: boolean): void
  /** From now on no eviction of `a` arrives. */
  loseEvictions(): void
  /** Lets the puts that were held arrive, and time pass; returns how many. */
  arrive(thenMs?: number): Promise<number>
}

function startStage(): Stage {
  const clock = new ManualClock()
  const held: (() => void)[] = []
  let isHolding = false
  let isLosing = false
  const server = new MemoryServer({
    clock,
    deliver: (task, delivery) => {
      const operation = delivery.kind === 'request' ? delivery.operation : undefined
      if (isLosing && operation === 'evict' && delivery.node === 0) return
      if (isHolding && operation === 'put') held.push(task)
      else queueMicrotask(task)
    },
  })
  const [a, b] = [0, 1].map(() => {
    const caches = createCacheManager({
      namespace: 'late',
      local: lruStore(),
      remote: server.store(),
      codec: structuredCodec,
      clock,
      default: false,
      logger: false,
      defaults: { ttl: '1h', jitter: 0 },
    })
    onTestFinished(async () => {
      const closing = caches.close()
      await clock.advanceAsync(5_000)
      await closing
    })
    return caches.cache<string>('c')
  })
  if (a === undefined || b === undefined) throw new Error('There are two nodes')
  return {
    clock,
    a,
    b,
    hold: (holding) => {
      isHolding = holding
    },
    loseEvictions: () => {
      isLosing = true
    },
    arrive: async (thenMs = 5_000) => {
      const late = held.splice(0)
      for (const task of late) task()
      await clock.advanceAsync(thenMs)
      return late.length
    },
  }
}

it.each(['set', 'warm'] as const)(
  '%s: what was given up and arrives late does not replace what is newer',
  async (how) => {
    const { a, b, clock, hold, arrive } = startStage()
    await a.set('k', 'first')
    await b.set('other', 'x')
    hold(true)
    const writing = how === 'set' ? a.set('k', 'late') : a.warm([['k', 'late']])
    // Its deadline passes, and what it left runs: the value again, and as that does not arrive either, an eviction.
    await clock.advanceAsync(3_000)
    await writing
    hold(false)
    await b.set('k', 'newer')
    expect(await a.get('k')).toBe('newer')
    // The first attempt, and the one that was made later with what waited.
    expect(await arrive()).toBe(2)
    for (const cache of [a, b]) expect(await cache.get('k')).not.toBe('late')
  },
)

describe('what a node does to a key while a set of it is under way', () => {
  it.each<readonly [what: string, act: (cache: Cache<string>) => Promise<unknown>]>([
    ['an eviction', (cache) => cache.evict('k')],
    ['an eviction of many keys', (cache) => cache.evictMany(['other', 'k'])],
    ['an eviction by a pattern', (cache) => allOf(cache.evictPattern('*'))],
    ['an eviction by a tag', (cache) => cache.evictTags(['t'])],
    ['a clear', (cache) => cache.clear()],
    ['another set', (cache) => cache.set('k', 'second')],
  ])('%s holds, though the set arrives later', async (_, act) => {
    const { a, b, hold, arrive } = startStage()
    await a.set('k', 'zeroth', { tags: ['t'] })
    expect(await b.get('k')).toBe('zeroth')
    hold(true)
    const setting = a.set('k', 'first', { tags: ['t'] })
    // It is on its way.
    for (let i = 0; i < 20; i++) await Promise.resolve()
    hold(false)
    await act(a)
    expect(await arrive()).toBe(1)
    await setting
    for (const cache of [a, b]) expect(['first', 'zeroth']).not.toContain(await cache.get('k'))
  })
})

it('a set of a key that another node holds in doubt is not undone by what that one gave up', async () => {
  const { a, b, clock, hold, loseEvictions, arrive } = startStage()
  await a.set('k', 'first')
  loseEvictions()
  expect(await b.get('k')).toBe('first')
  hold(true)
  const writing = a.set('k', 'late')
  // Its deadline has just passed; the eviction waits, and the other node was told so.
  await clock.advanceAsync(300)
  await writing
  hold(false)
  await b.set('k', 'newer')
  await clock.advanceAsync(10)
  expect(await arrive(1)).toBe(1)
  expect(await b.get('k')).not.toBe('late')
})

async function allOf(steps: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of steps);
}
