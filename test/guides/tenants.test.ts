/** The guide on tenants: its code, over a real Redis, with two tenants that call in the same tick. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  type CacheManager,
  CachePut,
  createCacheManager,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { expect, inject, it, onTestFinished } from 'vitest'

const url = inject('redisUrl')

const tenants = new AsyncLocalStorage<string>()
const tenant = (): string => tenants.getStore() ?? 'none'

function startNode(namespace: string): CacheManager {
  const caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore({ url }),
    defaults: {
      scope: tenant,
      tags: () => [`tenant:${tenant()}`],
    },
  })
  onTestFinished(() => caches.close())
  return caches
}

@CacheConfig({ cache: 'products' })
class Products {
  readonly loads: string[] = []

  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<string> {
    this.loads.push(`${tenant()} ${id}`)
    // The context has to hold after a wait, too.
    await new Promise((resolve) => setImmediate(resolve))
    return `${tenant()} ${id}`
  }

  @Cacheable({ each: { key: (id: string) => id } })
  async findMany(ids: readonly string[]): Promise<string[]> {
    this.loads.push(...ids.map((id) => `${tenant()} ${id}`))
    return ids.map((id) => `${tenant()} ${id}`)
  }

  @CachePut({ key: (id: string) => id })
  async save(_id: string, text: string): Promise<string> {
    return text
  }

  @CacheEvict({ key: (id: string) => id })
  async remove(_id: string): Promise<void> {}
}

const TWO = ['acme', 'umbrella']
/** Both tenants ask in the same tick. */
const both = <Result>(work: () => Promise<Result>): Promise<Result[]> =>
  Promise.all(TWO.map((name) => tenants.run(name, work)))

it('keeps two tenants apart that read, put and evict in the same tick, on every node', async () => {
  const namespace = randomUUID()
  const products = new Products()
  const here = startNode(namespace)
  for (let i = 0; i < 2; i++) {
    expect(await both(() => products.find('42'))).toEqual(['acme 42', 'umbrella 42'])
  }
  expect(await both(() => products.findMany(['42', '43']))).toEqual([
    ['acme 42', 'acme 43'],
    ['umbrella 42', 'umbrella 43'],
  ])
  expect(products.loads.sort()).toEqual(['acme 42', 'acme 43', 'umbrella 42', 'umbrella 43'])

  // Another node finds in Redis what this one kept there, for each tenant its own.
  const there = startNode(namespace)
  const seen = (caches: CacheManager): Promise<(string | undefined)[]> =>
    both(() => caches.cache<string>('products').get('42'))
  await expect.poll(() => seen(there)).toEqual(['acme 42', 'umbrella 42'])

  // The last manager is the one that decorated methods use.
  await tenants.run('acme', () => products.save('42', 'put'))
  expect(await seen(there)).toEqual(['put', 'umbrella 42'])
  await expect.poll(() => seen(here)).toEqual(['put', 'umbrella 42'])
  await Promise.all([
    tenants.run('umbrella', () => products.remove('42')),
    tenants.run('acme', () => products.find('42')),
  ])
  expect(await seen(there)).toEqual(['put', undefined])
  await expect.poll(() => seen(here)).toEqual(['put', undefined])
})

it('clears one tenant by its tag, from any context', async () => {
  const caches = startNode(randomUUID())
  const products = new Products()
  await both(() => products.find('42'))
  await tenants.run('acme', () => caches.cache('products').evict('42'))
  await both(() => products.find('42'))
  expect(products.loads).toEqual(['acme 42', 'umbrella 42', 'acme 42'])
  await caches.evictTags(['tenant:acme'])
  await both(() => products.find('42'))
  expect(products.loads.slice(3)).toEqual(['acme 42'])
})

it('is what the guide says', () => {
  const root = join(import.meta.dirname, '..', '..')
  const guide = readFileSync(join(root, 'docs/guides/tenants.md'), 'utf8')
  const here = squeezed(readFileSync(join(root, 'test/guides/tenants.test.ts'), 'utf8'))
  const [, block = ''] = /^```ts\n(.*?)^```/ms.exec(guide) ?? []
  const parts = squeezed(block)
    .replace("namespace: 'shop'", 'namespace')
    .split(/(?=const caches)|(?=await )/)
  expect(parts.length).toBe(4)
  for (const part of parts) expect(here).toContain(part.trim())
})

/** Indentation and empty lines are the page's own. */
function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
