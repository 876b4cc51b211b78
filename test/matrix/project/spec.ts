/** The tests of a project with a test runner, whose functions the first import brings. */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { expect, it, vi as runner } from 'vitest'
import { check } from './check.js'
import { ProductService } from './service.js'

it('does what it says', async () => {
  expect(await check()).toContain('in process')
})

for (const when of ['before', 'after']) {
  it(`a ttl passes under fake timers, with a manager made ${when} them`, async () => {
    if (when === 'after') runner.useFakeTimers()
    const caches = createCacheManager({
      namespace: 'fakes',
      local: lruStore(),
      defaults: { jitter: 0 },
    })
    if (when === 'before') runner.useFakeTimers()
    const service = new ProductService()
    await service.find('1')
    runner.advanceTimersByTime(9 * 60_000)
    await service.find('1')
    expect(service.loads).toBe(1)
    runner.advanceTimersByTime(2 * 60_000)
    await service.find('1')
    expect(service.loads).toBe(2)
    await runner.advanceTimersByTimeAsync(11 * 60_000)
    await service.find('1')
    expect(service.loads).toBe(3)
    runner.useRealTimers()
    await caches.close()
  })
}

it('runs plain with enabled: false, locks and limits included', async () => {
  const caches = createCacheManager({ namespace: 'off', enabled: false, local: lruStore() })
  const service = new ProductService()
  await service.find('1')
  await service.find('1')
  expect(service.loads).toBe(2)
  let inside = 0
  await service.checkout('1', () =>
    service.checkout('1', async () => {
      inside += 1
    }),
  )
  expect(inside).toBe(1)
  for (let i = 0; i < 5; i++) expect(await service.search('ip')).toBe('found')
  await caches.close()
})
