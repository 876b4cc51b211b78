/** `@CachePut` and `@CacheEvict`: what is asked of the cache, and when. */

import { CacheConfig, CacheEvict, CachePut, skipCache } from '@larder/core'
import type { MethodCacheProvider } from '@larder/core/store'
import { beforeEach, describe, expect, it } from 'vitest'
import { forced } from './support/forced.ts'
import { RecordingProvider } from './support/recording-provider.ts'

let provider: RecordingProvider
const manager = (): MethodCacheProvider => provider
let log: string[]

beforeEach(() => {
  provider = new RecordingProvider()
  log = []
})

interface Item {
  readonly id: string
}

@CacheConfig({ manager, cache: 'items', version: 3 })
class Items {
  #ran(what: string): void {
    log.push(...provider.log.slice(log.filter((line) => !line.startsWith('ran')).length))
    log.push(`ran ${what}`)
  }

  @CachePut({
    key: (item: Item) => item.id,
    tags: (result: Item, given: Item) => [result.id, given.id],
    unless: (result: Item) => result.id === 'bad',
    condition: (item: Item) => item.id !== 'off',
  })
  async save(item: Item): Promise<Item> {
    this.#ran('save')
    return item
  }

  @CachePut({ keyOf: (item: Item, prefix: string) => [prefix, item.id] })
  async create(prefix: string): Promise<Item> {
    this.#ran('create')
    return { id: `${prefix}-1` }
  }

  @CachePut({ key: '{0}' })
  async failPut(_id: string): Promise<Item> {
    this.#ran('failPut')
    throw new Error('not saved')
  }

  @CacheEvict({
    key: (item: { id: string }) => item.id,
    keys: (item: { id: string }) => [['all', item.id], `${item.id}-more`],
    tags: (removed: number, item: { id: string }) => [`${removed}`, `now:${item.id}`],
    soft: true,
    settle: '2s',
    condition: (item: { id: string }) => item.id !== 'off',
  })
  async remove(item: { id: string }): Promise<number> {
    this.#ran('remove')
    item.id = 'changed'
    return 7
  }

  @CacheEvict({
    when: 'before',
    all: true,
    tags: (result: undefined, id: string) => [`${result}:${id}`],
  })
  async rebuild(_id: string): Promise<void> {
    this.#ran('rebuild')
    throw new Error('not rebuilt')
  }

  @CacheEvict({ key: '{0}' })
  async failEvict(_id: string): Promise<void> {
    throw new Error('not removed')
  }
}

let items: Items
beforeEach(() => {
  items = new Items()
})

describe('@CachePut', () => {
  it('takes its stamp before the method runs, and puts what it returned', async () => {
    const saved = await items.save({ id: 'a' })
    const put = provider.asked.find(({ what }) => what === 'put')

    expect(saved).toEqual({ id: 'a' })
    expect(log).toEqual(['begin ', 'ran save'])
    expect(provider.log).toEqual(['begin ', 'put a'])
    expect(put?.begun).toBeDefined()
    expect(put?.calls[0]?.tagsOf?.({ id: 'r' })).toEqual(['r', 'a'])
    expect(put?.calls[0]?.storeWhen?.({ id: 'bad' })).toBe(false)
    expect(provider.values.get('items:a')).toBe(saved)
  })

  it('takes its stamp for a key that comes from the result, too', async () => {
    await items.create('x')

    expect(provider.log).toEqual(['begin ', 'put x:x-1'])
    expect(provider.asked[1]?.begun).toBeDefined()
  })

  it('changes nothing when the method fails, or when condition says so', async () => {
    await expect(items.failPut('a')).rejects.toThrow('not saved')
    await items.save({ id: 'off' })

    expect(provider.log).toEqual(['begin '])
  })

  it('takes the policy of the class', async () => {
    await items.save({ id: 'a' })
    expect(provider.described).toEqual([
      {
        method: 'Items.save',
        cacheName: 'items',
        options: { version: 3 },
        isForOthers: true,
        where: '@CachePut(Items.save)',
      },
    ])
  })
})

describe('@CacheEvict', () => {
  it('evicts after success, by the arguments as they were and as they came out', async () => {
    expect(await items.remove({ id: 'a' })).toBe(7)

    expect(log).toEqual(['ran remove'])
    expect(provider.asked.map(({ evict }) => evict)).toEqual([
      {
        keys: ['a', 'all:a', 'a-more', 'changed', 'all:changed', 'changed-more'],
        tags: ['7', 'now:changed'],
        all: false,
        soft: true,
        settleMs: 2_000,
      },
    ])
  })

  it('evicts nothing when the method fails, or when condition says so', async () => {
    await expect(items.failEvict('a')).rejects.toThrow('not removed')
    await items.remove({ id: 'off' })

    expect(provider.asked).toEqual([])
  })

  it('evicts before the method runs, whatever becomes of it', async () => {
    await expect(items.rebuild('a')).rejects.toThrow('not rebuilt')

    expect(log).toEqual(['evict ', 'ran rebuild'])
    expect(provider.asked[0]?.evict).toMatchObject({ all: true, tags: ['undefined:a'] })
  })

  it('fails before the method runs when no key can be made', async () => {
    await expect(items.failEvict({} as never)).rejects.toMatchObject({ code: 'LARDER_KEY' })
    await expect(items.remove(undefined as never)).rejects.toThrow(TypeError)
    expect(log).toEqual([])
  })

  it('refuses tags that are none', async () => {
    @CacheConfig({ manager })
    class Service {
      @CacheEvict({ tags: () => 'catalogue' as never })
      async change(): Promise<void> {}

      @CacheEvict({ tags: () => undefined as never })
      async forget(): Promise<void> {}
    }
    await expect(new Service().change()).rejects.toThrow(
      '@CacheEvict(Service.change).tags takes a function that returns an array of tags',
    )
    await expect(new Service().forget()).rejects.toThrow(
      '@CacheEvict(Service.forget).tags takes a function that returns an array of tags',
    )
  })
})

describe('methods that write', () => {
  it('write under skipCache all the same: skipping must not leave old values behind', async () => {
    for (const mode of ['skip', 'refresh', 'localOnly'] as const) {
      await skipCache(() => items.save({ id: 'a' }), mode)
      await skipCache(() => items.remove({ id: 'a' }), mode)
    }
    expect(provider.log.length).toBe(9)
  })

  it('must know whose entries they mean', async () => {
    @CacheConfig({ manager })
    class Service {
      @CachePut({ key: '{0}' })
      async put(id: string): Promise<string> {
        return id
      }

      @CacheEvict({ key: '{0}' })
      async evict(_id: string): Promise<void> {}

      @CacheEvict({ all: true })
      async clear(): Promise<void> {}

      @CacheEvict({ tags: ['catalogue'] })
      async tags(): Promise<void> {}

      @CacheEvict({ key: '{0}', cache: 'others' })
      async named(_id: string): Promise<void> {}
    }
    const service = new Service()

    await expect(service.put('a')).rejects.toThrow(
      /@CachePut\(Service\.put\)\.cache takes the name/,
    )
    await expect(service.evict('a')).rejects.toThrow(/@CacheEvict\(Service\.evict\)\.cache/)
    await expect(service.clear()).rejects.toThrow(/@CacheEvict\(Service\.clear\)\.cache/)
    await service.tags()
    await service.named('a')
    expect(provider.described.map(({ cacheName }) => cacheName)).toEqual(['Service.tags', 'others'])
  })

  it('reject when they are not asynchronous', async () => {
    @CacheConfig({ manager, cache: 'items' })
    class Service {
      @forced(CachePut({ key: '{0}' }))
      put(id: string): string {
        return id
      }

      @forced(CacheEvict({ key: '{0}' }))
      evict(_id: string): void {}
    }
    const service = new Service()

    await expect(service.put('a')).rejects.toThrow(
      '@CachePut(Service.put) takes a method that returns a promise (make it async), but got a string',
    )
    await expect(service.evict('a')).rejects.toThrow(/@CacheEvict\(Service\.evict\) takes a method/)
    expect(provider.log).toEqual(['begin '])
  })
})
