/** A value that is put while the store is away waits for it, and never comes over anything newer. */

import { RecoveryQueueError } from '@larder/core'
import { INTERNALS } from '@larder/core/store'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import {
  type AwayNode,
  type AwayStage,
  startMemoryStage,
  startRedisStage,
  TROUBLES,
} from './away-stage.ts'

const STORES = {
  'in memory': startMemoryStage,
  'on Redis': startRedisStage,
} as const

const TAGS = { tags: ['t'] }

/** Every way to put a value. */
const WAYS: Readonly<Record<string, (node: AwayNode, value: unknown) => Promise<unknown>>> = {
  set: ({ cache }, value) => cache.set('k', value, TAGS),
  warm: ({ cache }, value) => cache.warm([['k', value]], TAGS),
  'a method that puts': async ({ caches }, value) => {
    const method = caches[INTERNALS].methodCache({
      method: 'Away.put',
      cacheName: 'c',
      options: {},
      where: 'away',
    })
    await method.put('k', value, { mode: 'normal', tags: ['t'] }, await method.begin())
  },
}

/** What another node does meanwhile. */
const OTHERS: Readonly<Record<string, (node: AwayNode) => Promise<unknown>>> = {
  'sets another value': ({ cache }) => cache.set('k', 'newer'),
  evicts: ({ cache }) => cache.evict('k'),
  'evicts softly': ({ cache }) => cache.evict('k', { soft: true }),
  'evicts with a window': ({ cache }) => cache.evict('k', { settle: '10s' }),
  'evicts a tag': ({ caches }) => caches.evictTags(['t']),
  'evicts a tag softly': ({ caches }) => caches.evictTags(['t'], { soft: true }),
  'clears the cache': ({ cache }) => cache.clear(),
  'clears everything': ({ caches }) => caches.clear(),
}

/** What the node itself does after the put. */
const LATER: Readonly<Record<string, (node: AwayNode) => Promise<unknown>>> = {
  ...OTHERS,
  'evicts several': ({ cache }) => cache.evictMany(['x', 'k']),
  'evicts by a pattern': async ({ cache }) => {
    const steps = cache.evictPattern('*')
    // What this node holds comes first; to find more, the store would have to be there.
    await steps.next()
    await steps.return()
  },
  'evicts in a unit of work': ({ caches, cache }) => caches.deferEvictions(() => cache.evict('k')),
  'sets nothing': ({ cache }) => cache.set('k', undefined),
  'sets in a unit of work': ({ caches, cache }) =>
    caches.deferEvictions(() => cache.set('k', 'newer')),
  refreshes: ({ cache }) => cache.refresh('k', () => 'newer'),
}

describe.each(Object.entries(STORES))('%s', (_, start) => {
  describe.each(TROUBLES)('while the store %s', (trouble) => {
    it.each(Object.entries(WAYS))('%s keeps a value here and sends it later', async (_, put) => {
      const stage = await start()
      const { a, b, run } = bound(stage)
      await run(a.cache.set('k', 'old'))
      expect(await run(b.cache.get('k'))).toBe('old')
      stage.begin(trouble)
      await run(put(a, 'new'))
      expect(await run(a.cache.get('k'))).toBe('new')
      expect(a.puts).toEqual(['stored', 'queued'])
      await stage.end()
      expect(a.puts).toEqual(['stored', 'queued', 'stored'])
      await bothHave(stage, 'new')
    })

    it('of two values the later one is sent', async () => {
      const stage = await start()
      const { a, run } = bound(stage)
      await run(a.cache.set('k', 'old'))
      stage.begin(trouble)
      for (const value of ['first', 'second']) await run(a.cache.set('k', value))
      expect(a.puts).toEqual(['stored', 'queued', 'not-kept', 'queued'])
      await stage.end()
      await bothHave(stage, 'second')
    })

    it.each(Object.entries(OTHERS))(
      'a value does not come back when another node %s',
      async (_, act) => {
        const stage = await start()
        const { a, b, run } = bound(stage)
        await run(a.cache.set('k', 'old', TAGS))
        await run(b.cache.get('k'))
        stage.begin(trouble)
        await run(a.cache.set('k', 'waiting', TAGS))
        await run(act(b))
        await stage.end()
        for (const { cache } of [a, b]) expect(await run(cache.get('k'))).not.toBe('waiting')
        expect(await run(b.cache.get('k', { allowStale: true }))).not.toBe('old')
      },
    )

    it.each(Object.entries(LATER))(
      'a value does not come back when the node itself %s',
      async (_, act) => {
        const stage = await start()
        const { a, b, run } = bound(stage)
        await run(a.cache.set('k', 'old', TAGS))
        stage.begin(trouble)
        await run(a.cache.set('k', 'waiting', TAGS))
        await run(act(a))
        expect(await run(a.cache.get('k'))).not.toBe('waiting')
        await stage.end()
        for (const { cache } of [a, b]) expect(await run(cache.get('k'))).not.toBe('waiting')
      },
    )

    it('who wants to hear of it is told, and nothing is kept', async () => {
      const stage = await start({ onRemoteFailure: 'throw' })
      const { a, b, run } = bound(stage)
      await run(a.cache.set('k', 'old'))
      stage.begin(trouble)
      await expect(run(a.cache.set('k', 'new'))).rejects.toThrow(RecoveryQueueError)
      expect(await run(a.cache.get('k'))).toBeUndefined()
      await stage.end()
      for (const { cache } of [a, b]) expect(await run(cache.get('k'))).toBeUndefined()
      expect(a.puts).toEqual(['stored', 'not-kept'])
    })

    it('a value is not sent to a store that has lost its history', async () => {
      const stage = await start()
      const { a, b, run } = bound(stage)
      await run(a.cache.set('k', 'old'))
      stage.begin(trouble)
      await run(a.cache.set('k', 'waiting'))
      await stage.flush()
      await stage.end()
      for (const { cache } of [a, b]) expect(await run(cache.get('k'))).toBeUndefined()
      expect(a.puts.at(-1)).toBe('not-kept')
    })

    it('an eviction that waits gives way to a value that comes after it', async () => {
      const stage = await start()
      const { a, b, run } = bound(stage)
      await run(a.cache.set('k', 'old'))
      stage.begin(trouble)
      await run(a.cache.evict('k', { settle: '10s' }))
      await run(a.cache.set('k', 'new'))
      expect(await run(a.cache.get('k'))).toBe('new')
      await stage.end()
      // What hung arrives after all, and nobody can tell an eviction of this node from one of another.
      if (trouble !== 'hangs') await bothHave(stage, 'new')
      else for (const { cache } of [a, b]) expect(await run(cache.get('k'))).not.toBe('old')
    })
  })

  it('a value whose reply was lost is not sent again, nor evicted', async () => {
    const stage = await start()
    const { a, b, run } = bound(stage)
    await run(a.cache.set('k', 'old'))
    expect(await run(b.cache.get('k'))).toBe('old')
    stage.loseReply()
    await run(a.cache.set('k', 'new'))
    expect(a.puts.at(-1)).toBe('queued')
    const seen: unknown[] = []
    b.caches.on('invalidate', ({ keys }) => seen.push(...keys))
    await stage.end()
    expect(a.puts.at(-1)).toBe('stored')
    await bothHave(stage, 'new')
    expect(seen.filter((key) => key === 'c:k').length).toBeLessThanOrEqual(1)
  })

  it('a value that waits is dropped when the manager closes', async () => {
    const stage = await start()
    const { a, run } = bound(stage)
    await run(a.cache.set('k', 'old'))
    stage.begin('cannot be reached')
    await run(a.cache.set('k', 'new'))
    await run(a.caches.close())
    expect(a.puts.at(-1)).toBe('not-kept')
  })
})

/** Who was told that a key is in doubt goes on doubting for a while. */
async function bothHave(stage: AwayStage, value: unknown): Promise<void> {
  const { a, b, run } = bound(stage)
  for (const { cache } of [a, b]) {
    await eventually(`it is there: ${value}`, async () => (await run(cache.get('k'))) === value)
  }
}

function bound(stage: AwayStage): Pick<AwayStage, 'a' | 'b' | 'run'> {
  return { a: stage.a, b: stage.b, run: (work) => stage.run(work) }
}
