import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { MemoryServer } from '../testing/memory/memory-server.ts'
import { structuredCodec } from '../testing/structured-codec.ts'
import { createCacheManager } from './cache-manager.ts'
import type { CacheManagerOptions } from './manager-options.ts'

function manager(options: Partial<CacheManagerOptions> = {}) {
  const caches = createCacheManager({
    namespace: 'shop',
    default: false,
    logger: false,
    codec: structuredCodec,
    ...options,
  })
  onTestFinished(() => caches.close())
  const reasons = (): readonly string[] => caches.health().problems.map(({ reason }) => reason)
  return { caches, reasons }
}

describe('health', () => {
  it('of a manager without a store is up until it is closed', async () => {
    const { caches } = manager()
    expect(caches.health()).toMatchObject({ state: 'up', isReady: true, problems: [] })
    await caches.close()
    expect(caches.health()).toMatchObject({
      state: 'down',
      isReady: false,
      problems: [{ reason: 'closed' }],
    })
  })

  it('is degraded while the store starts or is away, and ready all the same', async () => {
    const store = new MemoryServer().store()
    const { caches, reasons } = manager({ remote: store })
    expect(caches.health()).toMatchObject({
      state: 'degraded',
      isReady: true,
      problems: [{ reason: 'starting' }],
    })
    await caches.ready()
    expect(caches.health()).toMatchObject({ state: 'up', problems: [] })
    store.disconnect()
    await caches.cache('c').evict('k')
    const health = caches.health()
    expect(health).toMatchObject({ state: 'degraded', isReady: true })
    expect(reasons()).toEqual(expect.arrayContaining(['unreachable', 'isolated', 'queue']))
    expect(health.status.recoveryQueue.waiting).toBe(1)
    expect(JSON.parse(JSON.stringify(health))).toEqual(health)
    store.reconnect()
    await vi.waitUntil(() => caches.health().state === 'up')
  })

  it('is degraded by a right that is missing', () => {
    let tell: (error: Error) => void = () => undefined
    const store = Object.assign(new MemoryServer().store(), {
      onTrouble: (listener: (error: Error) => void) => {
        tell = listener
      },
    })
    const { caches } = manager({ remote: store })
    tell(new Error('NOPERM'))
    expect(caches.health().problems).toContainEqual({ reason: 'trouble', message: 'NOPERM' })
  })
})

describe('status', () => {
  it('says since when entries are verified or not, and how many', async () => {
    const store = new MemoryServer().store()
    const { caches } = manager({ remote: store })
    expect(caches.status().coherence).toMatchObject({
      state: 'isolated',
      since: null,
      partitions: { verified: 0, all: 64 },
    })
    await caches.ready()
    const { coherence, store: verified } = caches.status()
    expect(coherence).toMatchObject({ partitions: { verified: 64, all: 64 } })
    expect(Date.parse(coherence.since ?? '')).toBeGreaterThan(0)
    expect(Date.parse(verified?.busSince ?? '')).toBeGreaterThan(0)
    store.disconnect()
    await caches.cache('c').evict('k')
    const { coherence: lost } = caches.status()
    expect(lost.state).toBe('isolated')
    expect(Date.parse(lost.since ?? '')).toBeGreaterThanOrEqual(Date.parse(coherence.since ?? ''))
  })

  it('says since when a store that only hangs has confirmed nothing', async () => {
    const clock = new ManualClock()
    const store = new MemoryServer({ clock }).store()
    const { caches } = manager({ remote: store, clock, defaults: { maxStaleness: '3s' } })
    const ready = caches.ready()
    await clock.advanceAsync(100)
    await ready
    store.hang()
    await clock.advanceAsync(5_000)
    const { coherence } = caches.status()
    expect(coherence).toMatchObject({ state: 'isolated', partitions: { verified: 0 } })
    expect(coherence.since).toEqual(expect.any(String))
  })

  it('counts calls that failed and were skipped, and messages that were missed', async () => {
    const store = new MemoryServer().store()
    const { caches } = manager({ remote: store })
    await caches.ready()
    expect(caches.status().store).toMatchObject({
      calls: { failed: 0, skipped: 0 },
      busGaps: { gap: 0, behind: 0, 'history-lost': 0, unrecovered: 0 },
    })
    const told: unknown[] = []
    caches.on('store-error', (event) => told.push(event))
    store.disconnect()
    for (let n = 0; n < 8; n++) await caches.cache('c').evict(`${n}`)
    const { calls } = caches.status().store ?? { calls: undefined }
    expect((calls?.failed ?? 0) + (calls?.skipped ?? 0)).toBe(told.length)
    expect(calls?.skipped).toBeGreaterThan(0)
  })

  it('has the breaker of the store, and those of locks and limits once they are used', async () => {
    const server = new MemoryServer()
    const store = server.store()
    const { caches } = manager({ remote: store })
    expect(caches.status().breakers).toEqual([
      { use: 'store', provider: store.name, state: 'closed' },
    ])
    store.disconnect()
    for (let n = 0; n < 8; n++) await caches.cache('c').evict(`${n}`)
    expect(caches.status().breakers).toMatchObject([{ use: 'store', state: 'open' }])
    expect(caches.health().problems).toContainEqual({
      reason: 'breaker',
      message: `The circuit breaker of ${store.name} (store) is open`,
    })
  })

  it('says for how many waiting evictions a value waits', async () => {
    const store = new MemoryServer().store()
    const { caches } = manager({ remote: store })
    await caches.ready()
    const cache = caches.cache<string>('c')
    await cache.set('k', 'v')
    store.disconnect()
    await cache.set('k', 'w')
    await cache.evict('other')
    expect(caches.status().recoveryQueue).toMatchObject({ waiting: 2, values: 1 })
  })
})
