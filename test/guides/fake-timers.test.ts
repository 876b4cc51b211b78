/** Fake timers of a test runner move what is kept in process. */

import { Cacheable, CacheConfig, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { afterEach, describe, expect, it, vi } from 'vitest'

@CacheConfig({ cache: 'numbers', ttl: '1m', jitter: 0 })
class Numbers {
  loads = 0

  @Cacheable({ key: (id: string) => id })
  async find(_id: string): Promise<number> {
    this.loads += 1
    return this.loads
  }
}

type Options = NonNullable<Parameters<typeof vi.useFakeTimers>[0]>

const FAKES: Readonly<Record<string, Options>> = {
  'as vitest fakes by default': {},
  'with microtasks faked, too': { toFake: ['performance', 'setTimeout', 'queueMicrotask', 'Date'] },
}

afterEach(() => vi.useRealTimers())

describe.each(Object.entries(FAKES))('%s', (_, options) => {
  it.each(['before', 'after'])('a ttl passes with a manager made %s the fakes', async (when) => {
    if (when === 'after') vi.useFakeTimers(options)
    const caches = createCacheManager({ namespace: 'fakes', local: lruStore() })
    const numbers = new Numbers()
    if (when === 'before') {
      await numbers.find('0')
      // A reading of the clock is shared for the rest of a task.
      await new Promise((resolve) => setImmediate(resolve))
      vi.useFakeTimers(options)
    }
    await numbers.find('1')
    vi.advanceTimersByTime(59_000)
    expect(await numbers.find('1')).toBe(numbers.loads)
    const loads = numbers.loads
    await numbers.find('1')
    expect(numbers.loads).toBe(loads)
    vi.advanceTimersByTime(2_000)
    await numbers.find('1')
    expect(numbers.loads).toBe(loads + 1)
    vi.useRealTimers()
    await caches.close()
  })
})
