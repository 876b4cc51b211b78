import { expect, it } from 'vitest'
import { OTHERS, StatsRegistry } from './stats.ts'

it('methods of one name count together, and each in its own cache', () => {
  const stats = new StatsRegistry()
  stats.of('products', 'Service.find').localHits += 2
  stats.of('products', 'Service.find').loads += 1
  stats.of('orders', 'Service.find').localHits += 3
  stats.of('orders').localHits += 5
  const { localHits, byCache, byMethod } = stats.snapshot(undefined)
  expect(localHits).toBe(10)
  expect([byCache.products?.localHits, byCache.orders?.localHits]).toEqual([2, 8])
  expect(Object.keys(byMethod)).toEqual(['Service.find'])
  expect([byMethod['Service.find']?.localHits, byMethod['Service.find']?.loads]).toEqual([5, 1])
})

it('what is beyond the bound is counted, without a name of its own', () => {
  const stats = new StatsRegistry(1)
  stats.of('products', 'Service.find').misses += 1
  stats.of('orders', 'Service.find').misses += 2
  const { misses, byCache, byMethod } = stats.snapshot(undefined)
  expect([misses, byCache[OTHERS]?.misses, byMethod['Service.find']?.misses]).toEqual([3, 2, 1])
})
