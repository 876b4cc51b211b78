/**
 * The key is made when a method is called; over a shared tier it runs later, with the same objects. A caller who uses one
 * object for several calls gets what it asked for in the end, and nobody else gets that under another key.
 */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  type CacheManager,
  CachePut,
  cached,
  createCacheManager,
  RateLimited,
  WithLock,
} from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { localLimits, localLocks, lruStore } from '@larder/local-store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let clock: ManualClock
let server: MemoryServer
let caches: CacheManager

beforeEach(() => {
  clock = new ManualClock()
  server = new MemoryServer({ clock })
  caches = createCacheManager({
    namespace: 'moved',
    clock,
    local: lruStore(),
    remote: server.store(),
    codec: structuredCodec,
    locks: localLocks(),
    limits: localLimits(),
    defaults: { jitter: 0, ttl: '1h' },
  })
})
afterEach(() => caches.close())

interface Query {
  page: number
  filter?: { open: boolean }
}

class Service {
  readonly ran: unknown[] = []
  tenant = 'north'

  @Cacheable({ key: (query: Query) => query.page })
  async byKey(query: Query): Promise<string> {
    this.ran.push(query.page)
    return `page ${query.page}`
  }

  @Cacheable({ key: '{0.page}' })
  async byTemplate(query: Query): Promise<string> {
    this.ran.push(query.page)
    return `page ${query.page}`
  }

  @Cacheable()
  async byDefault(query: Query): Promise<string> {
    this.ran.push(query.page)
    return `page ${query.page}, ${query.filter?.open}`
  }

  @Cacheable({
    key: function (this: Service, id: string) {
      return [this.tenant, id]
    },
  })
  async ofTenant(id: string): Promise<string> {
    return `${id} of ${this.tenant}`
  }

  @Cacheable({
    key: (query: Query) => `any ${typeof query}`,
    condition: (query: Query) => query.page > 0,
  })
  async conditional(query: Query): Promise<string> {
    return `page ${query.page}`
  }

  @Cacheable({ key: (query: Query) => query.page, cacheErrors: () => '1h' })
  async failing(query: Query): Promise<string> {
    this.ran.push(query.page)
    throw new Error(`no page ${query.page}`)
  }

  @Cacheable({
    key: (query: Query) => query.page,
    tags: (_: string, query: Query) => [`page:${query.page}`],
  })
  async tagged(query: Query, gate: Promise<void>): Promise<string> {
    const { page } = query
    this.ran.push(page)
    await gate
    return `page ${page}`
  }

  @Cacheable({
    each: {
      key: (id: string, at: { locale: string }) => [id, at.locale],
      by: (text: string) => text[0] ?? '',
    },
  })
  async each(ids: readonly string[], at: { locale: string }): Promise<string[]> {
    this.ran.push(...ids)
    return ids.map((id) => `${id} in ${at.locale}`)
  }
}

describe.each(['byKey', 'byTemplate', 'byDefault'] as const)(
  '%s: one object for three calls',
  (method) => {
    it('leaves nothing under the keys of the first two', async () => {
      const service = new Service()
      const query: Query = { page: 0, filter: { open: true } }
      const calls = [1, 2, 3].map((page) => {
        query.page = page
        return service[method](query)
      })
      await Promise.all(calls)

      for (const page of [1, 2, 3]) {
        expect(await service[method]({ page, filter: { open: true } })).toMatch(`page ${page}`)
      }
      for (const page of [1, 2, 3]) {
        const { length } = service.ran
        await service[method]({ page, filter: { open: true } })
        expect(service.ran.length).toBe(length)
      }
    })
  },
)

it('deep inside an object, too', async () => {
  const service = new Service()
  const query = { page: 1, filter: { open: true } }
  const call = service.byDefault(query)
  query.filter.open = false
  await call

  expect(await service.byDefault({ page: 1, filter: { open: true } })).toBe('page 1, true')
})

it('in the object that the method is called on', async () => {
  const service = new Service()
  const call = service.ofTenant('1')
  service.tenant = 'south'
  await call
  service.tenant = 'north'

  expect(await service.ofTenant('1')).toBe('1 of north')
})

it('where a condition has come to say no', async () => {
  const service = new Service()
  const query = { page: 1 }
  const call = service.conditional(query)
  query.page = 0
  await call

  expect(await service.conditional({ page: 2 })).toBe('page 2')
})

it('when the method fails and errors are kept', async () => {
  const service = new Service()
  const query = { page: 1 }
  const call = service.failing(query)
  query.page = 2
  await expect(call).rejects.toThrow('no page 2')

  await expect(service.failing({ page: 1 })).rejects.toThrow('no page 1')
})

it('while the method runs, where tags are made of the arguments', async () => {
  const service = new Service()
  const query = { page: 1 }
  let open: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const call = service.tagged(query, gate)
  await expect.poll(() => service.ran).toEqual([1])
  query.page = 2
  open()
  expect(await call).toBe('page 1')

  expect(await cached(service, 'tagged').peek({ page: 1 }, gate)).toBeUndefined()
})

it('of a list, in its further arguments', async () => {
  const service = new Service()
  const at = { locale: 'en' }
  const call = service.each(['a', 'b'], at)
  at.locale = 'fr'

  expect(await call).toEqual(['a in fr', 'b in fr'])
  expect(await service.each(['a', 'b'], { locale: 'en' })).toEqual(['a in en', 'b in en'])
})

it('says that it kept nothing', async () => {
  const refused: string[] = []
  caches.on('discard', ({ key }) => refused.push(key))
  const service = new Service()
  const query = { page: 1 }
  const call = service.byKey(query)
  query.page = 2
  await call

  expect(refused).toEqual(['Service.byKey:1'])
})

it('keeps what a method has made of arguments that it changes itself', async () => {
  let runs = 0
  class Normalising {
    @Cacheable()
    async find(query: { page?: number }): Promise<number> {
      query.page ??= 1
      return ++runs
    }
  }
  const service = new Normalising()
  await service.find({})
  await service.find({})

  expect(runs).toBe(1)
})

@CacheConfig({ cache: 'items' })
class Items {
  readonly rows = new Map<string, string>([
    ['a', 'old'],
    ['b', 'old'],
  ])
  gate: Promise<void> = Promise.resolve()

  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<string | undefined> {
    return this.rows.get(id)
  }

  @CachePut({ key: (item: { id: string }) => item.id })
  async save(item: { id: string }): Promise<string> {
    await this.gate
    this.rows.set(item.id, `new ${item.id}`)
    return `new ${item.id}`
  }

  @CacheEvict({ key: (item: { id: string }) => item.id })
  async touch(item: { id: string }): Promise<void> {
    await this.gate
    this.rows.set(item.id, 'touched')
  }
}

describe('a change of what is cached', () => {
  it('that was put under a key its arguments no longer have is kept under neither', async () => {
    const items = new Items()
    await Promise.all([items.find('a'), items.find('b')])
    const item = { id: 'a' }
    const call = items.save(item)
    item.id = 'b'
    expect(await call).toBe('new b')

    expect([await items.find('a'), await items.find('b')]).toEqual(['old', 'new b'])
  })

  it('evicts the key from before and the one from after', async () => {
    const items = new Items()
    await Promise.all([items.find('a'), items.find('b')])
    const item = { id: 'a' }
    const call = items.touch(item)
    item.id = 'b'
    await call

    expect([await items.find('a'), await items.find('b')]).toEqual(['old', 'touched'])
  })
})

describe('what a call waits for before it runs', () => {
  it('is the lock of the arguments it runs with', async () => {
    const log: string[] = []
    class Till {
      @WithLock({ key: (order: { id: string }) => order.id, wait: '1m' })
      async pay(order: { id: string }): Promise<void> {
        log.push(`${order.id} ${await isHeld('a')} ${await isHeld('b')}`)
      }
    }
    const isHeld = async (key: string): Promise<boolean> =>
      (await caches.locks.inspect(key)).holders.length > 0
    const order = { id: 'a' }
    const call = new Till().pay(order)
    order.id = 'b'
    await call

    expect(log).toEqual(['b false true'])
  })

  it('is counted against whom it is when it runs', async () => {
    class SearchApi {
      @RateLimited({ key: (who: { ip: string }) => who.ip, limit: 1, per: '1m' })
      async search(who: { ip: string }): Promise<string> {
        return who.ip
      }
    }
    const api = new SearchApi()
    await api.search({ ip: 'b' })
    const who = { ip: 'a' }
    const call = api.search(who)
    who.ip = 'b'

    await expect(call).rejects.toMatchObject({ code: 'LARDER_RATE_LIMITED', key: 'b' })
  })
})
