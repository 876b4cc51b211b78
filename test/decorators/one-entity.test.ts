/** Two methods that load entries of one cache either load the same entity, and say so, or have keys that do not meet. */

import { Cacheable, CacheConfig, CacheEvict, CachePut, InvalidOptionError } from '@larder/core'
import { describe, expect, it } from 'vitest'

const refusal = /@Cacheable\(.*permissions\)\.cache takes a cache of its own.*shares: 'find'/

describe('two methods that load entries of one cache under keys that can meet', () => {
  it('are refused where the class is defined, whoever names the cache', () => {
    const byClass = (): void => {
      @CacheConfig({ cache: 'users' })
      class Service {
        @Cacheable({ key: (id: string) => id })
        async find(id: string): Promise<string> {
          return id
        }

        @Cacheable({ key: (id: string) => id })
        async permissions(id: string): Promise<string[]> {
          return [id]
        }
      }
      void Service
    }
    const byMethods = (): void => {
      class Service {
        @Cacheable({ cache: 'users', key: '{0}' })
        async find(id: string): Promise<string> {
          return id
        }

        @Cacheable({ cache: 'users', key: (id: string) => id })
        async permissions(id: string): Promise<string[]> {
          return [id]
        }
      }
      void Service
    }
    for (const define of [byClass, byMethods]) {
      expect(define).toThrow(InvalidOptionError)
      expect(define).toThrow(refusal)
    }
  })

  it('are refused where one is inherited, and with each', () => {
    class Base {
      @Cacheable({ key: (id: string) => id })
      async find(id: string): Promise<string> {
        return id
      }
    }
    const inherited = (): void => {
      @CacheConfig({ cache: 'users' })
      class Service extends Base {
        @Cacheable({ key: (id: string) => id })
        async permissions(id: string): Promise<string[]> {
          return [id]
        }
      }
      void Service
    }
    const lists = (): void => {
      @CacheConfig({ cache: 'users' })
      class Service {
        @Cacheable({ each: { key: (id: string) => id } })
        async find(ids: string[]): Promise<string[]> {
          return ids
        }

        @Cacheable({ each: { key: (id: string) => id } })
        async permissions(ids: string[]): Promise<string[][]> {
          return [ids]
        }
      }
      void Service
    }
    for (const define of [inherited, lists]) expect(define).toThrow(refusal)
  })

  it('are fine when they say so, when keys begin differently, and with put, evict, each and overrides', () => {
    const define = (): void => {
      @CacheConfig({ cache: 'users' })
      class Service {
        @Cacheable({ key: (id: string) => id })
        async find(id: string): Promise<string> {
          return id
        }

        @Cacheable({ key: (id: string) => id, shares: 'find' })
        async findAgain(id: string): Promise<string> {
          return id
        }

        @Cacheable({ each: { key: (id: string) => id } })
        async findMany(ids: string[]): Promise<string[]> {
          return ids
        }

        @Cacheable({ key: (id: string) => `permissions of ${id}` })
        async permissions(id: string): Promise<string[]> {
          return [id]
        }

        @Cacheable({ key: (id: string) => ['orders', id] })
        async orders(id: string): Promise<string[]> {
          return [id]
        }

        @Cacheable({ key: 'invoice:{0}' })
        async invoices(id: string): Promise<string[]> {
          return [id]
        }

        @Cacheable()
        async all(): Promise<string[]> {
          return []
        }

        @Cacheable({ cache: 'other', key: (id: string) => id })
        async other(id: string): Promise<number> {
          return id.length
        }

        @CachePut({ key: (id: string) => id })
        async save(id: string): Promise<string> {
          return id
        }

        @CacheEvict({ key: (id: string) => id })
        async remove(_id: string): Promise<void> {}
      }
      @CacheConfig({ ttl: '1m' })
      class Derived extends Service {
        @Cacheable({ key: (id: string) => id, shares: ['findAgain'] })
        override async find(id: string): Promise<string> {
          return id
        }
      }
      void Derived
    }
    expect(define).not.toThrow()
  })

  it('name each other as methods are named', () => {
    expect(() => Cacheable({ shares: 7 as never })).toThrow(/@Cacheable\.shares takes the name/)
  })
})
