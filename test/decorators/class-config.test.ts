/** `@CacheConfig`, the manager a class uses, and what `cached` and `describe` see of a class. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  CachePut,
  ClosedError,
  cached,
  createCacheManager,
  describeClass,
  InvalidOptionError,
  NotConfiguredError,
} from '@larder/core'
import type { MethodCacheProvider } from '@larder/core/store'
import { lruStore } from '@larder/local-store'
import { beforeEach, describe, expect, it } from 'vitest'
import { RecordingProvider } from './support/recording-provider.ts'

let provider: RecordingProvider
const manager = (): MethodCacheProvider => provider

beforeEach(() => {
  provider = new RecordingProvider()
})

describe('@CacheConfig', () => {
  it('holds for subclasses, whose own words come first, and the method’s before those', async () => {
    @CacheConfig({ manager, cache: 'base', ttl: '1m', jitter: 0, version: 1 })
    class Base {
      @Cacheable({ ttl: '2m' })
      async find(): Promise<number> {
        return 1
      }
    }
    @CacheConfig({ ttl: '3m', version: 2, cache: undefined })
    class Derived extends Base {
      @Cacheable({ version: 3 })
      override async find(): Promise<number> {
        return 2
      }

      @Cacheable({ cache: 'own' })
      async count(): Promise<number> {
        return 3
      }
    }
    const derived = new Derived()
    await derived.find()
    await derived.count()
    await new Base().find()

    const described = provider.described.map(({ frame: _, ...rest }) => rest)
    expect(described).toEqual([
      {
        method: 'Derived.find',
        cacheName: 'base',
        options: { ttl: '3m', jitter: 0, version: 3 },
        where: '@Cacheable(Derived.find)',
      },
      {
        method: 'Derived.count',
        cacheName: 'own',
        options: { ttl: '3m', jitter: 0, version: 2 },
        where: '@Cacheable(Derived.count)',
      },
      {
        method: 'Base.find',
        cacheName: 'base',
        options: { ttl: '2m', jitter: 0, version: 1 },
        where: '@Cacheable(Base.find)',
      },
    ])
  })

  it('is asked for its manager at every call, so it may come late and change', async () => {
    let current: RecordingProvider | undefined
    @CacheConfig({ manager: () => current })
    class Service {
      runs = 0

      @Cacheable()
      async find(): Promise<number> {
        this.runs += 1
        return this.runs
      }
    }
    const service = new Service()

    await expect(service.find()).rejects.toThrow(NotConfiguredError)
    current = new RecordingProvider()
    expect([await service.find(), await service.find()]).toEqual([1, 1])
    current = new RecordingProvider()
    expect([await service.find(), await service.find()]).toEqual([2, 2])
  })

  it('does not hide that its manager was closed', async () => {
    const caches = createCacheManager({ namespace: 'closed', local: lruStore() })
    class Service {
      @Cacheable()
      async find(): Promise<number> {
        return 1
      }
    }
    const service = new Service()
    await service.find()
    await caches.close()

    await expect(service.find()).rejects.toThrow(ClosedError)
  })
})

describe('cached()', () => {
  class Base {
    @Cacheable({ key: (id: string) => id })
    async find(id: string): Promise<string> {
      return `base ${id}`
    }

    @Cacheable({ key: (id: number) => id, cache: 'shared', shareWithSubclasses: true })
    static async shared(id: number): Promise<number> {
      return id
    }

    @CachePut({ key: '{0}', cache: 'shared' })
    async put(id: string): Promise<string> {
      return id
    }
  }

  @CacheConfig({ manager })
  class Service extends Base {
    @CacheEvict({ tags: ['x'] })
    @Cacheable({ key: (id: string) => id })
    @Cacheable({ key: (id: string) => `inner ${id}` })
    override async find(id: string): Promise<string> {
      return `service ${id}`
    }
  }

  @CacheConfig({ manager })
  class Undecorated extends Base {
    override async find(id: string): Promise<string> {
      return `undecorated ${id}`
    }
  }

  it('reaches the outermost @Cacheable of the class that defines the method', async () => {
    const service = new Service()

    expect(cached(service, 'find').key('1')).toBe('Service.find:1')
    expect(await cached(service, 'find').refresh('1')).toBe('service 1')
    expect(await cached(service, 'find').peek('1')).toBe('service 1')
  })

  it('reaches static methods, inherited ones too', async () => {
    CacheConfig({ manager })(Base)
    class Derived extends Base {}

    await cached(Derived, 'shared').set([7], 8)
    expect(await Base.shared(7)).toBe(8)
    expect(cached(Base, 'shared').key(7)).toBe('shared:7')
  })

  it('follows the manager', async () => {
    const entry = cached(new Service(), 'find')
    await entry.set(['1'], 'kept')
    provider = new RecordingProvider()

    expect(await entry.peek('1')).toBeUndefined()
  })

  it('refuses methods that have no entries', () => {
    expect(() => cached(new Undecorated(), 'find')).toThrow(InvalidOptionError)
    expect(() => cached(new Base(), 'put')).toThrow(/cached\(put\) takes the name of a method/)
    expect(() => cached(new Base(), 'nothing' as never)).toThrow(InvalidOptionError)
  })
})

describe('describe()', () => {
  it('lists own and inherited methods, the outermost decorator first; overrides hide', () => {
    @CacheConfig({ cache: 'items' })
    class Base {
      @CacheEvict({ all: true })
      @CachePut({ key: '{0}' })
      async save(id: string): Promise<string> {
        return id
      }

      @Cacheable()
      async hidden(): Promise<void> {}

      @Cacheable()
      static async shared(): Promise<void> {}
    }
    class Derived extends Base {
      @Cacheable({ ttl: '1m' })
      async find(): Promise<void> {}

      override async hidden(): Promise<void> {}
    }
    const { className, config, methods } = describeClass(Derived)

    expect([className, config]).toEqual(['Derived', { cache: 'items' }])
    expect(
      methods.map(({ label, operations }) => [label, ...operations.map(({ kind }) => kind)]),
    ).toEqual([
      ['Derived.find', 'cacheable'],
      ['Derived.save', 'cache-evict', 'cache-put'],
      ['Derived.static.shared', 'cacheable'],
    ])
    expect(methods[0]?.operations[0]?.options).toEqual({ ttl: '1m' })
  })

  it('lists nothing for a class without decorators', () => {
    class Plain {
      async find(): Promise<void> {}
    }
    expect(describeClass(Plain).methods).toEqual([])
  })
})
