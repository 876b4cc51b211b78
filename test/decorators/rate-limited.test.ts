/** `@RateLimited`: who is limited, what happens above the limit, and how it goes with the other decorators. */

import {
  Cacheable,
  CacheConfig,
  type CacheManager,
  createCacheManager,
  describeClass,
  InvalidOptionError,
  loadSignal,
  NotConfiguredError,
  RateLimited,
  RateLimitedError,
  type RateLimitVerdict,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RecordingProvider } from './support/recording-provider.ts'

let caches: CacheManager
let ran: string[]
const manager = (): CacheManager => caches

beforeEach(() => {
  ran = []
  caches = createCacheManager({ namespace: 'test', local: lruStore(), default: false })
})
afterEach(() => caches.close())

const policies: [{ name: string; limit: number; per: string }] = [
  { name: 'hourly', limit: 1, per: '1h' },
]

@CacheConfig({ manager })
class Api {
  @RateLimited({ policies } as never)
  async once(): Promise<string> {
    return 'once'
  }

  readonly tenant: string

  constructor(tenant = 'north') {
    this.tenant = tenant
  }

  @RateLimited({ key: (ip: string) => ip, limit: 2, per: '1h' })
  async search(ip: string, query = ''): Promise<string> {
    ran.push(`search ${ip} ${query}`)
    return `${this.tenant} ${query}`
  }

  @RateLimited({ limit: 2, per: '1h' })
  async all(id: number): Promise<number> {
    return id
  }

  @RateLimited({
    key: (tenant: string) => tenant,
    limit: function (this: Api, tenant: string, plan: string) {
      return plan === 'pro' ? 2 : this.tenant === tenant ? 1 : 0
    },
    per: '1h',
  })
  async planned(_tenant: string, plan: string): Promise<string> {
    return plan
  }

  @RateLimited({
    key: (tenant: string) => tenant,
    limit: async (_tenant: string, plan: string) => (plan === 'pro' ? 3 : 1),
    per: '1h',
  })
  async plannedLater(_tenant: string, plan: string): Promise<string> {
    return plan
  }

  @RateLimited({ key: 'user:{0.id}', limit: 1, per: '1h' })
  async byTemplate(user: { readonly id: string }): Promise<string> {
    return user.id
  }

  @RateLimited({
    key: function (this: Api) {
      return this.tenant
    },
    cost: (items: readonly string[]) => items.length,
    limit: 5,
    per: '1h',
  })
  async importAll(items: readonly string[]): Promise<number> {
    return items.length
  }

  @RateLimited({ key: '{0}', limit: 1, per: '1h', onLimit: 'skip' })
  async skipped(_id: string): Promise<string | undefined> {
    return 'ran'
  }

  @RateLimited({
    key: '{0}',
    limit: 1,
    per: '1h',
    onLimit: function (this: Api, { retryAfterMs }: RateLimitVerdict, id: string) {
      return `${this.tenant} ${id} ${retryAfterMs > 0}`
    },
  })
  async handled(id: string): Promise<string> {
    return `ran ${id}`
  }

  @RateLimited({ key: '{0}', limit: 1, per: '20ms', onLimit: 'wait', maxWait: '1m' })
  async waited(_id: string): Promise<number> {
    return performance.now()
  }

  @RateLimited({
    key: '{0}',
    limit: 1,
    per: '1h',
    onLimit: 'wait',
    maxWait: '1h',
    signal: (_id: string, signal?: AbortSignal) => signal,
  })
  async abortable(_id: string, _signal?: AbortSignal): Promise<void> {}

  @RateLimited({ key: '{0}', algorithm: 'concurrency', limit: 1 })
  async alone(_id: string, until: Promise<void>): Promise<void> {
    await until
  }

  @RateLimited({ limit: 1, per: '1h' })
  static async shared(): Promise<string> {
    return Api.name
  }
}

describe('@RateLimited', () => {
  it('lets so many through per key, then throws with all there is to know', async () => {
    const api = new Api()
    expect(await api.search('1.2.3.4', 'tea')).toBe('north tea')
    await new Api('south').search('1.2.3.4', 'jam')
    const error = await api.search('1.2.3.4', 'milk').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RateLimitedError)
    expect(error).toMatchObject({
      code: 'LARDER_RATE_LIMITED',
      key: '1.2.3.4',
      limit: 2,
      remaining: 0,
      source: 'local',
    })
    expect((error as RateLimitedError).retryAfterMs).toBeGreaterThan(3_590_000)
    expect(await api.search('5.6.7.8', 'oil')).toBe('north oil')
    expect(ran).toEqual(['search 1.2.3.4 tea', 'search 1.2.3.4 jam', 'search 5.6.7.8 oil'])
  })

  it('without a key limits all calls together, whatever their arguments', async () => {
    const api = new Api()
    await api.all(1)
    await api.all(2)
    await expect(api.all(3)).rejects.toThrow(RateLimitedError)
  })

  it('takes templates, keys and costs of this and of the arguments', async () => {
    const [north, south] = [new Api('north'), new Api('south')]
    await north.byTemplate({ id: '7' })
    await expect(north.byTemplate({ id: '7' })).rejects.toMatchObject({ key: "user:'7" })
    await north.importAll(['a', 'b', 'c'])
    await expect(north.importAll(['a', 'b', 'c'])).rejects.toMatchObject({
      key: 'north',
      remaining: 2,
    })
    await north.importAll(['a', 'b'])
    await south.importAll(['a', 'b', 'c'])
    await expect(south.importAll(['a', 'b', 'c', 'd', 'e', 'f'])).rejects.toThrow(
      InvalidOptionError,
    )
  })

  it('looks the limit up from the arguments, at once or later, on the instance', async () => {
    const api = new Api('north')
    expect(await api.planned('north', 'free')).toBe('free')
    await expect(api.planned('north', 'free')).rejects.toMatchObject({ limit: 1 })
    expect(await api.planned('north', 'pro')).toBe('pro')
    await expect(api.planned('south', 'free')).rejects.toMatchObject({
      limit: 0,
      retryAfterMs: Number.POSITIVE_INFINITY,
    })
    for (const plan of ['free', 'pro', 'pro']) await api.plannedLater('x', plan)
    await expect(api.plannedLater('x', 'free')).rejects.toMatchObject({ limit: 1 })
    await expect(api.plannedLater('x', 'pro')).rejects.toMatchObject({ limit: 3 })
  })

  it('skips, or does something else', async () => {
    const api = new Api()
    expect([await api.skipped('x'), await api.skipped('x')]).toEqual(['ran', undefined])
    expect([await api.handled('x'), await api.handled('x')]).toEqual(['ran x', 'north x true'])
  })

  it('waits for its turn, in order', async () => {
    const api = new Api()
    const at = await Promise.all([api.waited('x'), api.waited('x'), api.waited('x')])
    expect(at).toEqual([...at].sort((a, b) => a - b))
    expect((at[2] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(30)
  })

  it('stops waiting when the signal says so', async () => {
    const api = new Api()
    await api.abortable('x')
    const stop = new AbortController()
    const waiting = api.abortable('x', stop.signal)
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })

  it('holds a permit while the method runs', async () => {
    const api = new Api()
    let finish = (): void => undefined
    const running = api.alone(
      'x',
      new Promise((resolve) => {
        finish = resolve
      }),
    )
    await expect(api.alone('x', Promise.resolve())).rejects.toThrow(RateLimitedError)
    await api.alone('y', Promise.resolve())
    finish()
    await running
    await new Promise((resolve) => setImmediate(resolve))
    await api.alone('x', Promise.resolve())
  })

  it('works on static methods, keeps name and length, and is described', async () => {
    expect(await Api.shared()).toBe('Api')
    await expect(Api.shared()).rejects.toThrow(RateLimitedError)
    expect([Api.prototype.search.name, Api.prototype.importAll.length]).toEqual(['search', 1])
    const search = describeClass(Api).methods.find(({ name }) => name === 'search')
    expect(search?.operations).toMatchObject([{ kind: 'rate-limited', options: { limit: 2 } }])
  })

  it('counts anew with another manager, and needs one', async () => {
    const api = new Api()
    await api.skipped('x')
    await caches.close()
    await expect(api.skipped('x')).rejects.toMatchObject({ code: 'LARDER_CLOSED' })
    caches = createCacheManager({ namespace: 'test', local: lruStore(), default: false })
    expect(await api.skipped('x')).toBe('ran')

    class Orphan {
      @RateLimited({ limit: 1, per: '1h' })
      async call(): Promise<void> {}
    }
    await expect(new Orphan().call()).rejects.toThrow(NotConfiguredError)
  })

  it('takes its name from class and method, so two that have the same need one each', async () => {
    const make = (name?: string) => {
      @CacheConfig({ manager })
      class Twin {
        @RateLimited({ limit: 1, per: '1h', name })
        async call(): Promise<void> {}
      }
      return new Twin()
    }
    await make().call()
    await expect(make().call()).rejects.toThrow(/@RateLimited\(Twin\.call\)\.name takes the name/)
    await make('other').call()
    const nameless = make.call(undefined, 'shared')
    await nameless.call()
    await expect(make('shared').call()).rejects.toThrow(RateLimitedError)
  })

  it('says so where the manager makes no limiters', async () => {
    @CacheConfig({ manager: () => new RecordingProvider() })
    class Elsewhere {
      @RateLimited({ limit: 1, per: '1h' })
      async call(): Promise<void> {}
    }
    await expect(new Elsewhere().call()).rejects.toThrow(
      /@RateLimited\(Elsewhere\.call\) takes a manager that makes limiters/,
    )
  })
})

describe('errors at definition', () => {
  it.each<readonly [string, object, RegExp]>([
    ['no limit', { per: '1m' }, /@RateLimited\.limit/],
    ['a window of 0', { limit: 1, per: 0 }, /@RateLimited\.per/],
    ['a cost above the limit', { limit: 5, per: '1m', cost: 6 }, /@RateLimited\.cost.*0 to 5/],
    ['a key that is no key', { limit: 5, per: '1m', key: 5 }, /@RateLimited\.key/],
    ['an unknown word', { limit: 5, per: '1m', onLimit: 'throws' }, /@RateLimited\.onLimit/],
    ['waiting for no time', { limit: 5, per: '1m', onLimit: 'wait', maxWait: 0 }, /maxWait/],
    [
      'waiting longer than sense',
      { limit: 5, per: '1m', onLimit: 'wait', maxWait: '2h' },
      /maxWait/,
    ],
    [
      'a wait that nobody waits',
      { limit: 5, per: '1m', maxWait: '1s' },
      /maxWait.*onLimit: 'wait'/,
    ],
    [
      'a signal that is none',
      { limit: 5, per: '1m', onLimit: 'wait', signal: true },
      /@RateLimited\.signal takes a function/,
    ],
    [
      'a signal that ends nothing',
      { limit: 5, per: '1m', signal: () => undefined },
      /@RateLimited\.signal.*onLimit: 'wait'/,
    ],
    ['a misspelt option', { limit: 5, per: '1m', onLimt: 'skip' }, /Did you mean onLimit\?/],
  ])('%s', (_, options, message) => {
    expect(() => RateLimited(options as never)).toThrow(message)
  })
})

describe('with @Cacheable on one method', () => {
  @CacheConfig({ manager, cache: 'products', negativeTtl: '1h' })
  class Products {
    @RateLimited({ key: (id: string) => id, limit: 2, per: '1h' })
    @Cacheable({ key: (id: string) => id, ttl: '1h' })
    async limitedCalls(id: string): Promise<string> {
      ran.push(id)
      return `product ${id}`
    }

    @Cacheable({ key: (id: string) => `b:${id}`, ttl: '1h' })
    @RateLimited({ key: () => 'source', limit: 2, per: '1h' })
    async limitedLoads(id: string): Promise<string> {
      ran.push(id)
      return `product ${id}`
    }

    @Cacheable({ key: (id: string) => `c:${id}`, ttl: '1ms', staleIfError: '1h', jitter: 0 })
    @RateLimited({ key: () => 'source', limit: 1, per: '1h' })
    async staleWhenLimited(id: string): Promise<string> {
      ran.push(id)
      return `product ${id}`
    }
  }

  it('the limit outside counts calls, those that the cache answers too', async () => {
    const products = new Products()
    await products.limitedCalls('1')
    await products.limitedCalls('1')
    await expect(products.limitedCalls('1')).rejects.toThrow(RateLimitedError)
    expect(ran).toEqual(['1'])
  })

  it('the limit inside counts loads, and what is cached is free', async () => {
    const products = new Products()
    for (let i = 0; i < 5; i++) await products.limitedLoads('1')
    await products.limitedLoads('2')
    await expect(products.limitedLoads('3')).rejects.toThrow(RateLimitedError)
    expect(await products.limitedLoads('1')).toBe('product 1')
    expect(ran).toEqual(['1', '2'])
  })

  it('many callers of one key are one load, and cost one call', async () => {
    const products = new Products()
    const calls = Array.from({ length: 20 }, () => products.limitedLoads('1'))
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['product 1']))
    expect(await products.limitedLoads('2')).toBe('product 2')
  })

  it('the limit inside leaves the method what it knows of its load', async () => {
    const seen: unknown[] = []
    @CacheConfig({ manager, ttl: '1h' })
    class Shop {
      @Cacheable({ key: (id: string) => id })
      @RateLimited({ limit: 5, per: '1h' })
      async find(id: string): Promise<string> {
        seen.push(loadSignal() instanceof AbortSignal)
        return id
      }
    }
    class Outlet extends Shop {
      @Cacheable({ key: (id: string) => id, cache: 'Shop.find' })
      @RateLimited({ limit: 5, per: '1h' })
      override async find(id: string): Promise<string> {
        // The same entry: it would wait for itself if it did not know that it is being loaded.
        return `outlet ${await super.find(id)}`
      }
    }
    const shop = new Shop()
    expect(await shop.find('1')).toBe('1')
    expect(await new Outlet().find('2')).toBe('outlet 2')
    expect(seen).toEqual([true, true])
  })

  it('what stands in for a refused load is cached like any result, unless that says nothing', async () => {
    @CacheConfig({ manager, ttl: '1h' })
    class Shop {
      @Cacheable({ key: (id: string) => id })
      @RateLimited({ limit: 1, per: '1h', onLimit: 'skip' })
      async skipping(id: string): Promise<string | undefined> {
        return id
      }

      @Cacheable({ key: (id: string) => id, unless: (found: string) => found === 'stand-in' })
      @RateLimited({ limit: 1, per: '1h', onLimit: () => 'stand-in' })
      async replacing(id: string): Promise<string> {
        return id
      }
    }
    const shop = new Shop()
    expect([await shop.skipping('1'), await shop.skipping('2')]).toEqual(['1', undefined])
    expect([await shop.replacing('1'), await shop.replacing('2')]).toEqual(['1', 'stand-in'])
    expect(caches.stats().loads).toBe(4)
    expect([await shop.skipping('2'), await shop.replacing('2')]).toEqual([undefined, 'stand-in'])
    expect(caches.stats().loads).toBe(6)
  })

  it('a load above the limit is a failed load: stale values are served, and the refusal is not cached', async () => {
    const products = new Products()
    expect(await products.staleWhenLimited('1')).toBe('product 1')
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await products.staleWhenLimited('1')).toBe('product 1')
    expect(ran).toEqual(['1'])
    await expect(products.staleWhenLimited('2')).rejects.toThrow(RateLimitedError)
  })
})

describe('options that are changed after the definition', () => {
  it('change nothing: they were checked and read then', async () => {
    policies[0].limit = 100
    const api = new Api()
    await api.once()
    await expect(api.once()).rejects.toBeInstanceOf(RateLimitedError)
  })
})
