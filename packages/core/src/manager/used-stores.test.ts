import { expect, it, onTestFinished } from 'vitest'
import { MemoryServer } from '../testing/memory/memory-server.ts'
import { createCacheManager } from './cache-manager.ts'
import type { CacheManagerOptions } from './manager-options.ts'

function manager(namespace: string, options: Partial<CacheManagerOptions>) {
  const caches = createCacheManager({ namespace, default: false, logger: false, ...options })
  onTestFinished(() => caches.close())
  return caches
}

it('a store belongs to one manager until that is closed', async () => {
  const remote = new MemoryServer().store()
  const first = manager('shop', { remote })
  expect(() => manager('crm', { remote })).toThrow(
    /^createCacheManager\.remote takes one of its own, .*got that of the manager of shop/,
  )
  expect(() => manager('shop', { remote })).toThrow(/^createCacheManager\.remote/)
  await first.close()
  manager('crm', { remote: new MemoryServer().store() })
})

it('a refused manager takes nothing', () => {
  const [one, two] = [new MemoryServer().store(), new MemoryServer().store()]
  manager('shop', { remote: one })
  const capabilities = { shared: true, queues: true, replicas: false, modes: ['write'] }
  const steps = { open() {}, acquire() {}, renew() {}, release() {}, leave() {}, inspect() {} }
  const provider = { name: 'own', capabilities, ...steps, close: async () => undefined } as never
  manager('crm', { locks: provider })
  expect(() => manager('shop', { remote: two, locks: provider })).toThrow(/\.locks takes one/)
  manager('shop', { remote: two })
})

it('a provider belongs to one manager, also of the same namespace', async () => {
  const capabilities = { shared: true, queues: true, replicas: false, modes: ['write'] }
  const steps = { open() {}, acquire() {}, renew() {}, release() {}, leave() {}, inspect() {} }
  const locks = { name: 'own', capabilities, ...steps, close: async () => undefined } as never
  const first = manager('shop', { locks })
  expect(() => manager('shop', { locks })).toThrow(
    /^createCacheManager\.locks takes one of its own/,
  )
  await first.close()
  manager('shop', { locks })
})
