import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { MemoryServer } from '../testing/memory/memory-server.ts'
import { createCacheManager } from './cache-manager.ts'
import type { CacheManagerOptions } from './manager-options.ts'

function manager(options: Partial<CacheManagerOptions> = {}) {
  const caches = createCacheManager({ namespace: 'shop', default: false, ...options })
  onTestFinished(() => caches.close())
  return caches
}

describe('status', () => {
  it('of a manager without a remote store', async () => {
    const caches = manager()
    expect(caches.status()).toMatchObject({
      namespace: 'shop',
      state: 'in-process',
      store: null,
      coherence: { state: 'alone', confirmedAgoMs: null },
      recoveryQueue: { waiting: 0, escalated: 'none' },
    })
    await caches.close()
    expect(caches.status().state).toBe('closed')
  })

  it('follows the store, and is plain JSON', async () => {
    const store = new MemoryServer().store()
    const caches = manager({ remote: store, logger: false })
    expect(caches.status()).toMatchObject({
      state: 'starting',
      store: {
        isReachable: true,
        breaker: 'closed',
        bus: 'starting',
        troubles: [],
        lastError: null,
      },
      coherence: { state: 'isolated', confirmedAgoMs: null },
    })
    await caches.ready()
    expect(caches.status()).toMatchObject({
      state: 'up',
      reason: null,
      store: { bus: 'up' },
      coherence: { state: 'verified', confirmedAgoMs: expect.any(Number) },
    })
    store.disconnect()
    await caches.cache('c').evict('k')
    const status = caches.status()
    expect(status).toMatchObject({
      state: 'unreachable',
      reason: 'The connection was lost',
      store: { isReachable: false, bus: 'down', lastError: { operation: 'evict' } },
      coherence: { state: 'isolated' },
      recoveryQueue: { waiting: 1 },
    })
    expect(JSON.parse(JSON.stringify(status))).toEqual(status)
    expect(Date.parse(status.since)).toBeGreaterThan(0)
    store.reconnect()
    await vi.waitUntil(() => caches.status().state === 'up')
    expect(caches.status().recoveryQueue.waiting).toBe(0)
  })

  it('is isolated again when nothing was confirmed for maxStaleness', async () => {
    const clock = new ManualClock()
    const store = new MemoryServer({ clock }).store()
    const caches = manager({
      remote: store,
      clock,
      logger: false,
      defaults: { maxStaleness: '3s' },
    })
    const ready = caches.ready()
    await clock.advanceAsync(100)
    await ready
    store.hang()
    await clock.advanceAsync(2_000)
    expect(caches.status().coherence.state).toBe('verified')
    await clock.advanceAsync(2_000)
    expect(caches.status().coherence.state).toBe('isolated')
  })
})

describe('ready', () => {
  it('resolves at once without a remote store', () => manager().ready())

  it('rejects after its timeout with the reason', async () => {
    const store = new MemoryServer().store()
    store.disconnect()
    const caches = manager({ remote: store, logger: false })
    await expect(caches.ready({ timeout: 30 })).rejects.toMatchObject({
      code: 'LARDER_STORE_UNAVAILABLE',
      cause: { message: 'Not connected' },
    })
  })

  it('rejects when the manager is closed', async () => {
    const store = new MemoryServer().store()
    store.hang()
    const caches = manager({ remote: store, logger: false })
    const ready = expect(caches.ready()).rejects.toMatchObject({ code: 'LARDER_CLOSED' })
    await caches.close()
    await ready
  })

  it.each([
    [{ timeout: 'soon' }, /^ready\.timeout/],
    [{ timeOut: 1 }, /^ready\.timeOut .*Did you mean timeout/],
    ['10s', /^ready takes an options object/],
  ])('refuses %o', async (options, message) => {
    await expect(manager().ready(options as never)).rejects.toThrow(message)
  })
})

describe('a logger', () => {
  it.each([true, null, 'console', {}, { info: () => undefined }])('is not %o', (logger) => {
    expect(() => manager({ logger: logger as never })).toThrow(
      /^createCacheManager\.logger takes false or a logger/,
    )
  })

  it('hears one line for each end of an outage, whatever it throws', async () => {
    const lines: string[] = []
    const say = (line: string): never => {
      lines.push(line)
      throw new Error('a logger of this kind')
    }
    const store = new MemoryServer().store()
    store.disconnect()
    const caches = manager({ remote: store, logger: { info: say, warn: say, error: say } })
    const cache = caches.cache('c')
    for (let n = 0; n < 10; n++) await cache.getOrLoad(`${n}`, async () => n)
    expect(lines).toEqual([
      expect.stringMatching(/^Larder \(shop\): the remote store was never reached/),
    ])
    store.reconnect()
    await caches.ready()
    await vi.waitUntil(() => lines.length === 2)
    expect(lines[1]).toMatch(/is back after/)
  })
})

describe('a slow start', () => {
  it('is no outage: what is late before the first attempt has ended counts for nothing', async () => {
    const clock = new ManualClock()
    const memory = new MemoryServer({ clock }).store()
    let connected: () => void = () => undefined
    const tried = new Promise<void>((resolve) => {
      connected = resolve
    })
    memory.hang()
    const store = Object.assign(memory, { whenTried: () => tried })
    const caches = manager({ remote: store, clock, logger: false })
    const seen: unknown[] = []
    caches.on('store-error', (event) => seen.push(event))
    caches.on('breaker', (event) => seen.push(event))
    caches.on('outage', (event) => seen.push(event))
    const cache = caches.cache('c')
    const loads = Promise.all([1, 2, 3, 4].map((n) => cache.getOrLoad(`${n}`, async () => n)))
    await clock.advanceAsync(900)
    expect(await loads).toEqual([1, 2, 3, 4])
    expect(seen).toEqual([])
    connected()
    memory.resume()
    await clock.advanceAsync(900)
    expect(caches.status().state).toBe('up')
    expect(seen).toEqual([])
  })

  it('that takes longer than a second is one', async () => {
    const clock = new ManualClock()
    const memory = new MemoryServer({ clock }).store()
    memory.hang()
    const store = Object.assign(memory, { whenTried: () => new Promise<void>(() => undefined) })
    const caches = manager({ remote: store, clock, logger: false })
    const cache = caches.cache('c')
    for (let n = 0; n < 8; n++) {
      const load = cache.getOrLoad(`${n}`, async () => n)
      await clock.advanceAsync(1_000)
      await load
    }
    expect(caches.status()).toMatchObject({ state: 'unreachable', store: { isReachable: false } })
  })
})
