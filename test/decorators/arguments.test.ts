/** Arguments reach the method and the callbacks as the caller wrote them. */

import { Cacheable, CacheConfig } from '@larder/core'
import type { MethodCacheProvider } from '@larder/core/store'
import { beforeEach, describe, expect, it } from 'vitest'
import { RecordingProvider } from './support/recording-provider.ts'

let provider: RecordingProvider
const manager = (): MethodCacheProvider => provider

beforeEach(() => {
  provider = new RecordingProvider()
})

const LISTS: readonly (readonly unknown[])[] = [
  [],
  ['a'],
  ['a', 'b'],
  ['a', 'b', 'c'],
  ['a', 'b', 'c', 'd'],
  ['a', 'b', 'c', 'd', 'e'],
  [undefined],
  ['a', undefined],
]

describe.each(LISTS.map((list) => [list] as const))('called with %j', (list) => {
  it('the method and its key function get all of them, on a miss and on a hit', async () => {
    const keyed: unknown[][] = []
    const run: unknown[][] = []
    @CacheConfig({ manager })
    class Service {
      @Cacheable({
        key: (...args: unknown[]) => {
          keyed.push(args)
          return args.length
        },
      })
      async take(..._args: unknown[]): Promise<number> {
        run.push(_args)
        return run.length
      }
    }
    const service = new Service()

    expect(await service.take(...list)).toBe(1)
    expect(await service.take(...list)).toBe(1)
    expect(run).toEqual([list])
    expect(keyed).toEqual([list, list])
    expect(keyed.every((args) => args.length === list.length)).toBe(true)
  })
})

describe('arguments', () => {
  it('that are left out take their defaults, in the method and in the key function', async () => {
    @CacheConfig({ manager })
    class Service {
      @Cacheable({ key: (id: string, locale?: string) => [id, locale ?? 'en'] })
      async find(id: string, locale = 'en'): Promise<string> {
        return `${id} in ${locale}`
      }
    }
    const service = new Service()

    expect(await service.find('1')).toBe('1 in en')
    expect(await service.find('1', 'fr')).toBe('1 in fr')
    expect([...provider.values.keys()]).toEqual(['Service.find:1:en', 'Service.find:1:fr'])
  })

  it('make default keys in which a missing one differs from undefined', async () => {
    @CacheConfig({ manager })
    class Service {
      @Cacheable()
      async find(..._args: unknown[]): Promise<number> {
        return _args.length
      }
    }
    const service = new Service()

    expect([await service.find(), await service.find(undefined)]).toEqual([0, 1])
    expect([await service.find(1, 2), await service.find(1, 2, undefined)]).toEqual([2, 3])
  })

  it('come with the object as this of every callback', async () => {
    const seen: unknown[] = []
    @CacheConfig({ manager })
    class Tenants {
      readonly tenant: string
      constructor(tenant: string) {
        this.tenant = tenant
      }

      @Cacheable({
        key: function (this: Tenants, id: string) {
          return [this.tenant, id]
        },
        condition: function (this: Tenants, _id: string) {
          seen.push(this)
          return true
        },
      })
      async find(id: string): Promise<string> {
        return `${id} of ${this.tenant}`
      }
    }
    const [north, south] = [new Tenants('north'), new Tenants('south')]

    expect(await north.find('1')).toBe('1 of north')
    expect(await south.find('1')).toBe('1 of south')
    expect(await north.find('1')).toBe('1 of north')
    expect(seen).toEqual([north, south, north])
  })

  it('that no key can be made of reject the call, and the method does not run', async () => {
    let runs = 0
    @CacheConfig({ manager })
    class Service {
      @Cacheable({ key: (id: string | undefined) => id as string })
      async find(_id: string | undefined): Promise<number> {
        return ++runs
      }
    }
    const service = new Service()
    await service.find('warm')

    await expect(service.find(undefined)).rejects.toMatchObject({ code: 'LARDER_KEY' })
    await expect(service.find('')).rejects.toMatchObject({ code: 'LARDER_KEY' })
    expect(runs).toBe(1)
  })
})
