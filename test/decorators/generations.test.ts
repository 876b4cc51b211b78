/** Code that is evaluated twice: modules, copies of the package, managers. And names that do not outlast a build. */

import {
  Cacheable,
  CacheConfig,
  type CacheManager,
  createCacheManager,
  RateLimited,
  skipCache,
  WithLock,
} from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { localLimits, localLocks, lruStore } from '@larder/local-store'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

let caches: CacheManager
const warnings: (Error & { readonly code?: string })[] = []
const listen = (warning: Error): void => void warnings.push(warning)
const codes = (): readonly unknown[] => warnings.map(({ code }) => code)
/** Warnings are emitted on the next tick. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const longLived = createCacheManager({ namespace: 'long', default: false, local: lruStore() })

beforeEach(() => {
  caches = createCacheManager({ namespace: 'generations', local: lruStore() })
  warnings.length = 0
  process.on('warning', listen)
})
afterEach(async () => {
  process.off('warning', listen)
  vi.resetModules()
  await caches.close()
})

const load = async (): Promise<typeof import('./support/reloaded.ts')> => {
  vi.resetModules()
  return import('./support/reloaded.ts')
}

describe('a module that is evaluated again while the manager lives on', () => {
  it('takes over, which is said once; the older one goes on', async () => {
    const { Reloaded: First } = await load()
    const { Reloaded: Second } = await load()
    expect(First).not.toBe(Second)

    expect(await new First().find('1')).toBe('found 1')
    expect(await new Second().find('1')).toBe('found 1')
    expect(await new Second().limited()).toBe('allowed')
    expect(await new First().limited()).toBe('allowed')
    expect(await new First().find('2')).toBe('found 2')
    const { Reloaded: Third } = await load()
    expect(await new Third().find('1')).toBe('found 1')
    await settled()
    expect(codes().filter((code) => code === 'LARDER_RELOADED').length).toBeLessThanOrEqual(2)
    expect(warnings.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/Reloaded\.find was defined once more/),
    )
  })

  it('is told from a class factory, and from another file’s class of the name', async () => {
    const { makeTwin, Reloaded } = await load()
    const { Reloaded: Other } = await import('./support/other-reloaded.ts')
    await makeTwin().find('1')
    await new Reloaded().find('1')

    await expect(makeTwin().find('1')).rejects.toThrow(/another class of this name.*hot reload/)
    await expect(new Other().find('1')).rejects.toThrow(/another class of this name.*hot reload/)
  })
})

describe.each(['users', 'invoices'])(
  'a class in a function that a library calls again (%s)',
  (table) => {
    it('is another class', async () => {
      class Repeated {
        @Cacheable({ cache: undefined, key: (id: string) => id })
        async find(id: string): Promise<string> {
          return `${table} ${id}`
        }
      }
      CacheConfig({ manager: () => longLived })(Repeated)
      const found = new Repeated().find('1')

      if (table === 'users') expect(await found).toBe('users 1')
      else await expect(found).rejects.toThrow(/another class of this name/)
    })
  },
)

describe('two copies of the package', () => {
  it('meet: methods of one use the manager of the other, and what skips caches', async () => {
    vi.resetModules()
    const copy = await import('@larder/core')
    expect(copy.Cacheable).not.toBe(Cacheable)
    let runs = 0
    class CopiedService {
      @copy.Cacheable({ key: (id: string) => id })
      async find(_id: string): Promise<number> {
        return ++runs
      }
    }
    const service = new CopiedService()

    expect([await service.find('1'), await service.find('1')]).toEqual([1, 1])
    expect(await skipCache(() => service.find('1'))).toBe(2)
    expect(copy.describeClass(CopiedService).methods.map(({ label }) => label)).toEqual([
      'CopiedService.find',
    ])
  })

  it('that cannot work together say so', async () => {
    await caches.close()
    const place = (globalThis as Record<symbol, Record<number, unknown> | undefined>)[
      Symbol.for('@larder/core')
    ]
    class Orphan {
      @Cacheable({ key: (id: string) => id })
      async find(id: string): Promise<string> {
        return id
      }
    }
    await expect(new Orphan().find('1')).rejects.toThrow(/Call createCacheManager\(\) first/)
    if (place === undefined) throw new Error('the state has another place now')
    place[999] = { defaultManager: {} }
    try {
      await expect(new Orphan().find('1')).rejects.toThrow(/incompatible copy/)
    } finally {
      delete place[999]
    }
  })
})

describe('a second default manager', () => {
  it('takes over, which is said once', async () => {
    const second = createCacheManager({ namespace: 'second', local: lruStore() })
    const third = createCacheManager({ namespace: 'third', local: lruStore() })
    await settled()

    expect(codes()).toEqual(['LARDER_SECOND_MANAGER'])
    expect(warnings[0]?.message).toMatch(/namespace second.*namespace generations/)
    await Promise.all([second.close(), third.close()])
  })
})

describe('with a shared tier', () => {
  const shared = (): CacheManager =>
    createCacheManager({
      namespace: 'minified',
      default: false,
      local: lruStore(),
      locks: localLocks(),
      limits: localLimits(),
      remote: new MemoryServer({ clock: new ManualClock() }).store(),
      codec: structuredCodec,
    })

  it('a cache named after a class that a minifier may have named has to be named', async () => {
    await using manager = shared()
    @CacheConfig({ manager: () => manager })
    class Ks {
      @Cacheable({ key: (id: string) => id })
      async find(id: string): Promise<string> {
        return id
      }

      @Cacheable({ cache: 'named' })
      async byDefault(id: string): Promise<string> {
        return id
      }

      @Cacheable({ cache: 'named', key: (id: string) => id })
      async named(id: string): Promise<string> {
        return id
      }

      @Cacheable({ remote: false })
      async inProcess(id: string): Promise<string> {
        return id
      }
    }
    const service = new Ks()

    await expect(service.find('1')).rejects.toThrow(/@Cacheable\(Ks\.find\)\.cache .*minifier/)
    await expect(service.byDefault('1')).rejects.toThrow(
      /@Cacheable\(Ks\.byDefault\)\.key .*minifier/,
    )
    expect(await service.named('1')).toBe('1')
    expect(await service.inProcess('1')).toBe('1')
  })

  it('so have a lock without a key, and a limiter', async () => {
    await using manager = shared()
    @CacheConfig({ manager: () => manager })
    class Ks {
      @WithLock({ lease: '10s' })
      async locked(): Promise<void> {}

      @WithLock({ key: (id: string) => id, lease: '10s' })
      async lockedById(id: string): Promise<string> {
        return id
      }

      @RateLimited({ limit: 1, per: '1m' })
      async limited(): Promise<void> {}

      @RateLimited({ name: 'ks', limit: 1, per: '1m' })
      async limitedByName(): Promise<void> {}
    }
    const service = new Ks()

    await expect(service.locked()).rejects.toThrow(/@WithLock\(Ks\.locked\)\.key .*minifier/)
    await expect(service.limited()).rejects.toThrow(/@RateLimited\(Ks\.limited\)\.name .*minifier/)
    expect(await service.lockedById('1')).toBe('1')
    await service.limitedByName()
  })

  it('so has one that an override reaches in such a class', async () => {
    await using manager = shared()
    @CacheConfig({ manager: () => manager })
    class Bs {
      @Cacheable({ key: (id: string) => id })
      async find(id: string): Promise<string> {
        return id
      }
    }
    class Users extends Bs {
      override async find(id: string): Promise<string> {
        return super.find(id)
      }
    }
    class Invoices extends Bs {}

    await expect(new Users().find('1')).rejects.toThrow(/@Cacheable\(Users\.find\^Bs\)\.cache/)
    expect(await new Invoices().find('1')).toBe('1')
  })

  it('in process, any name will do', async () => {
    class Ks {
      @Cacheable({ key: (id: string) => id })
      async find(id: string): Promise<string> {
        return id
      }
    }
    expect(await new Ks().find('1')).toBe('1')
  })
})
