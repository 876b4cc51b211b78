/** The local store on lru-cache does what every local store must. */

import { localStoreCases, runCases } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, test } from 'vitest'

describe('lruStore', () => {
  runCases(
    localStoreCases((maxEntries) => lruStore({ maxEntries })),
    test,
  )

  it('is bounded by bytes when asked', () => {
    const store = lruStore({ maxEntries: 100, maxBytes: 1_000 })
    for (let n = 0; n < 50; n++) store.set(`k${n}`, { n }, 100)
    expect(store.size).toBe(10)
    expect(store.bytes).toBe(1_000)
  })

  it('refuses an entry larger than the whole, and forgets the older one', () => {
    const store = lruStore({ maxBytes: 1_000 })
    store.set('k', { n: 1 }, 10)
    store.set('k', { n: 2 }, 5_000)
    expect(store.get('k')).toBeUndefined()
  })

  it.each([
    [{ maxEntries: 0 }, /lruStore\.maxEntries/],
    [{ maxEntries: 1.5 }, /lruStore\.maxEntries/],
    [{ maxBytes: '64 mb' }, /lruStore\.maxBytes/],
    [{ max: 10 }, /lruStore\.max/],
  ])('refuses %o', (options, message) => {
    expect(() => lruStore(options as never)).toThrow(message)
  })
})
