/** `scope` and `tags` of managers, classes and caches: one tenant's entries are nobody else's, and can be cleared. */

import { AsyncLocalStorage } from 'node:async_hooks'
import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  type CacheManager,
  type CacheOptions,
  CachePut,
  cached,
  createCacheManager,
  InvalidOptionError,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { afterEach, describe, expect, it } from 'vitest'

const tenants = new AsyncLocalStorage<string>()
const tenant = (): string => tenants.getStore() ?? 'none'
const tags = (): readonly string[] => [`tenant:${tenant()}`]

let caches: CacheManager
afterEach(() => caches.close())

function open(defaults: CacheOptions = {}): void {
  caches = createCacheManager({ namespace: 'tenants', local: lruStore(), defaults })
}

function of<Result>(name: string, work: () => Result): Result {
  return tenants.run(name, work)
}

class Plain {
  loads = 0

  @Cacheable({ key: (id: string) => id, tags: ['own'] })
  async find(id: string): Promise<string> {
    this.loads += 1
    return `${tenant()} ${id}`
  }

  @Cacheable({ each: { key: (id: string) => id } })
  async findMany(ids: readonly string[]): Promise<string[]> {
    return ids.map((id) => `${tenant()} ${id}`)
  }

  @CachePut({ key: (id: string) => id })
  async put(_id: string, text: string): Promise<string> {
    return text
  }

  @CacheEvict({ key: (id: string) => id })
  async remove(_id: string): Promise<void> {}
}

/** The same words, said of the class or of the manager. */
const places = {
  'said of the class': () => {
    open()
    @CacheConfig({ cache: 'rows', scope: tenant, tags })
    class Rows extends Plain {}
    return new Rows()
  },
  'said of the manager': () => {
    open({ scope: tenant, tags })
    @CacheConfig({ cache: 'rows' })
    class Rows extends Plain {}
    return new Rows()
  },
}

describe.each(Object.entries(places))('%s', (_where, make) => {
  it('keeps every tenant to itself, for lists and single rows alike', async () => {
    const rows = make()
    for (const name of ['a', 'b', 'a', 'b']) {
      expect(await of(name, () => rows.find('1'))).toBe(`${name} 1`)
      expect(await of(name, () => rows.findMany(['1', '2']))).toEqual([`${name} 1`, `${name} 2`])
    }
    expect(rows.loads).toBe(2)
  })

  it('puts and evicts by key where it was said', async () => {
    const rows = make()
    for (const name of ['a', 'b']) await of(name, () => rows.find('1'))
    const cache = caches.cache<string>('rows')
    const seen = (): Promise<(string | undefined)[]> =>
      Promise.all(['a', 'b'].map((name) => of(name, () => cache.get('1'))))
    expect(await seen()).toEqual(['a 1', 'b 1'])
    await of('a', () => rows.remove('1'))
    expect(await seen()).toEqual([undefined, 'b 1'])
    await of('a', () => rows.put('1', 'put'))
    expect(await seen()).toEqual(['put', 'b 1'])
    await of('b', () => cache.evict('1'))
    expect(await seen()).toEqual(['put', undefined])
    await of('a', () => cached(rows, 'find').evict('1'))
    expect(await seen()).toEqual([undefined, undefined])
  })

  it('clears one tenant by its tag, and everybody by the method’s own', async () => {
    const rows = make()
    for (const name of ['a', 'b']) await of(name, () => rows.find('1'))
    await caches.evictTags(['tenant:a'])
    for (const name of ['a', 'b']) await of(name, () => rows.find('1'))
    expect(rows.loads).toBe(3)
    await caches.evictTags(['own'])
    for (const name of ['a', 'b']) await of(name, () => rows.find('1'))
    expect(rows.loads).toBe(5)
  })

  it('lists and evicts by pattern what is the caller’s', async () => {
    const rows = make()
    for (const name of ['a', 'b']) await of(name, () => rows.find('1'))
    const cache = caches.cache<string>('rows')
    const listed = await of('a', () => listOf(cache.entries()))
    expect(listed).toEqual([['1', 'a 1']])
    await of('a', async () => {
      for await (const _ of cache.evictPattern('*'));
    })
    expect(await of('a', () => cache.get('1'))).toBe(undefined)
    expect(await of('b', () => cache.get('1'))).toBe('b 1')
  })

  it('tells tenants apart whose names are no plain words', async () => {
    const rows = make()
    const names = ['a', 'a:1', 'a:', '~a', 'A', 'ä', '\ud800', '\ud801', 'x'.repeat(300)]
    for (const name of names) await of(name, () => rows.find('1'))
    expect(rows.loads).toBe(names.length)
    for (const name of names) expect(await of(name, () => rows.find('1'))).toBe(`${name} 1`)
    // What looks like the key of another tenant.
    expect(await of('a', () => rows.find('1:1'))).toBe('a 1:1')
  })
})

it('refuses a call without a scope, which would be everybody’s', async () => {
  open({ scope: () => tenants.getStore() as string })
  const rows = new Plain()
  await expect(rows.find('1')).rejects.toThrow('the scope of @Cacheable(Plain.find)')
  await expect(caches.cache('rows').get('1')).rejects.toThrow(InvalidOptionError)
  await expect(of('', () => rows.find('1'))).rejects.toThrow('a fixed word there')
  expect(await of('a', () => rows.find('1'))).toBe('a 1')
})

it('evicts under the scope of the class that reads, whoever evicts', async () => {
  open()
  @CacheConfig({ cache: 'rows', scope: tenant })
  class Rows extends Plain {}
  class Elsewhere {
    @CacheEvict({ cache: 'rows', key: (id: string) => id })
    async changed(_id: string): Promise<void> {}
  }
  const [rows, elsewhere] = [new Rows(), new Elsewhere()]
  // Bound before the class that reads is.
  await of('a', () => elsewhere.changed('1'))
  await of('a', () => rows.find('1'))
  await of('b', () => elsewhere.changed('1'))
  await of('a', () => rows.find('1'))
  expect(rows.loads).toBe(1)
  await of('a', () => elsewhere.changed('1'))
  await of('a', () => rows.find('1'))
  expect(rows.loads).toBe(2)
})

it('refuses another scope for a cache that has one', async () => {
  open()
  caches.cache('rows', { scope: tenant })
  expect(() => caches.cache('rows', { scope: () => 'x' })).toThrow('cache(rows).scope')
})

it('adds the tags of manager, class and method up, also for what is nothing', async () => {
  open({ tags: ['manager'], negativeTtl: '1h' })
  let loads = 0
  @CacheConfig({ cache: 'rows', tags: ['class'] })
  class Rows {
    @Cacheable({ key: (id: string) => id, tags: ['method'] })
    async find(_id: string): Promise<string | undefined> {
      loads += 1
      return undefined
    }
  }
  const rows = new Rows()
  await rows.find('1')
  for (const [i, tag] of ['manager', 'class', 'method'].entries()) {
    await rows.find('1')
    expect(loads, tag).toBe(i + 1)
    await caches.evictTags([tag])
    await rows.find('1')
    expect(loads, tag).toBe(i + 2)
  }
  await caches.cache<string>('free').set('1', 'x')
  await caches.evictTags(['manager'])
  expect(await caches.cache('free').get('1')).toBe(undefined)
})

it('keeps nothing when its tags cannot be had, and says so', async () => {
  open({
    tags: () => {
      throw new RangeError('no tenant')
    },
  })
  const errors: unknown[] = []
  caches.on('callback-error', ({ option, error }) => errors.push([option, error]))
  const rows = new Plain()
  expect(await rows.find('1')).toBe('none 1')
  expect(await rows.find('1')).toBe('none 1')
  expect(rows.loads).toBe(2)
  expect(errors[0]).toEqual(['tags', new RangeError('no tenant')])
})

it.each([
  ['tags', { tags: 'a' }],
  ['tags', { tags: [''] }],
  ['scope', { scope: 'a' }],
])('refuses wrong %s', (option, defaults) => {
  open()
  expect(() => createCacheManager({ namespace: 'x', defaults: defaults as never })).toThrow(
    `createCacheManager.defaults.${option}`,
  )
  expect(() => CacheConfig(defaults as never)).toThrow(`@CacheConfig.${option}`)
})

async function listOf<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const list: Item[] = []
  for await (const item of items) list.push(item)
  return list
}
