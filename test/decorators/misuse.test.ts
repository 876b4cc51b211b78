/** Decorators on the wrong thing, or with the wrong words, fail when the class is defined. */

import { Cacheable, CacheConfig, CacheEvict, CachePut, InvalidOptionError } from '@larder/core'
import type { MethodCacheProvider } from '@larder/core/store'
import { describe, expect, it } from 'vitest'
import { forced } from './support/forced.ts'
import { RecordingProvider } from './support/recording-provider.ts'

const OTHERS: readonly (readonly [string, () => unknown])[] = [
  ['@Cacheable', () => Cacheable()],
  ['@CachePut', () => CachePut({ key: '{0}' })],
  ['@CacheEvict', () => CacheEvict({ all: true })],
]

describe.each(OTHERS)('%s', (name, make) => {
  const wrong = new RegExp(`${name} takes a method to decorate, but got a`)

  it('refuses accessors', () => {
    const define = (): unknown => {
      class Service {
        @forced(make())
        get total(): number {
          return 1
        }
      }
      return Service
    }
    expect(define).toThrow(wrong)
  })

  it('refuses fields', () => {
    const define = (): unknown => {
      class Service {
        @forced(make())
        total = 1
      }
      return Service
    }
    expect(define).toThrow(wrong)
  })

  it('refuses classes', () => {
    const define = (): unknown => {
      @forced(make())
      class Service {}
      return Service
    }
    expect(define).toThrow(wrong)
  })

  it('refuses parameters', () => {
    class Service {
      async find(): Promise<void> {}
    }
    expect(() => forced(make())(Service.prototype, 'find', 0)).toThrow(/got a parameter/)
    expect(() => forced(make())(Service, undefined, 0)).toThrow(/got a parameter/)
  })
})

describe('without parentheses', () => {
  it.each([Cacheable, CachePut, CacheEvict])('%o says how to write it', (decorator) => {
    const define = (): unknown => {
      class Service {
        @forced(decorator)
        async find(): Promise<void> {}
      }
      return Service
    }
    expect(define).toThrow(InvalidOptionError)
    expect(define).toThrow(/takes options in parentheses, as in @Cache\w*\(\{ … \}\)/)
  })
})

describe('@CacheConfig', () => {
  it('refuses methods', () => {
    const define = (): unknown => {
      class Service {
        @forced(CacheConfig({ ttl: '1m' }))
        async find(): Promise<void> {}
      }
      return Service
    }
    expect(define).toThrow(/@CacheConfig takes a class to decorate/)
  })
})

describe('wrong options', () => {
  it.each([
    ['@Cacheable.key', () => Cacheable({ key: 'product:{name}' })],
    ['@Cacheable.ttl', () => Cacheable({ ttl: 0 })],
    ['@Cacheable.unless', () => Cacheable({ unless: true as never })],
    ['@Cacheable.condition', () => Cacheable({ condition: 'yes' as never })],
    ['@Cacheable.each.key', () => Cacheable({ each: { key: '{' } })],
    ['@Cacheable.each.by', () => Cacheable({ each: { key: '{0}', by: 'id' as never } })],
    ['@Cacheable.each.yb', () => Cacheable({ each: { key: '{0}', yb: 'id' } } as never)],
    ['@Cacheable.tags', () => Cacheable({ tags: ['fine', '\ud800'] })],
    ['@Cacheable', () => Cacheable('5m' as never)],
    ['@CachePut.key', () => CachePut({ key: '{0}', keyOf: (id: string) => id })],
    ['@CachePut.keyOf', () => CachePut({ keyOf: 'id' as never })],
    ['@CachePut.tll', () => CachePut({ key: '{0}', tll: '5m' } as never)],
    ['@CachePut.negativeTtl', () => CachePut({ key: '{0}', negativeTtl: true as never })],
    ['@CacheEvict.key', () => CacheEvict({ key: 'no slot' })],
    ['@CacheEvict.keys', () => CacheEvict({ keys: ['a'] as never })],
    ['@CacheEvict.all', () => CacheEvict({ all: 'yes' as never })],
    ['@CacheEvict.when', () => CacheEvict({ all: true, when: 'during' as never })],
    ['@CacheEvict.settle', () => CacheEvict({ key: '{0}', settle: '2 s' as never })],
    ['@CacheEvict.settle', () => CacheEvict({ tags: ['a'], settle: '2s' })],
    ['@CacheEvict.settle', () => CacheEvict({ all: true, settle: '1s' })],
    ['@CacheEvict.tags', () => CacheEvict({ tags: 'a' as never })],
    ['@CacheEvict.ttl', () => CacheEvict({ all: true, ttl: '1m' } as never)],
    ['@CacheEvict', () => CacheEvict({ all: false })],
    ['@CacheEvict.onRemoteFailure', () => CacheEvict({ all: true, onRemoteFailure: 'x' as never })],
    ['@CacheConfig.manager', () => CacheConfig({ manager: {} as never })],
    ['@CacheConfig.cache', () => CacheConfig({ cache: 'a:b' })],
  ])('%s is named in the error', (option, make) => {
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(expect.objectContaining({ option }))
  })
})

describe('a decorator made once', () => {
  it('serves several methods, each with entries of its own', async () => {
    const provider = new RecordingProvider()
    const shared = Cacheable({ ttl: '1m' })
    @CacheConfig({ manager: (): MethodCacheProvider => provider })
    class Service {
      @shared
      async one(): Promise<number> {
        return 1
      }

      @shared
      async two(): Promise<number> {
        return 2
      }
    }
    const service = new Service()

    expect([await service.one(), await service.two(), await service.one()]).toEqual([1, 2, 1])
  })
})
