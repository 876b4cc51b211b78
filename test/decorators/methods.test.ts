/** Decorated methods stay methods. Run twice: with standard decorators, and with `experimentalDecorators`. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  CachePut,
  cached,
  createCacheManager,
  describeClass,
  InvalidOptionError,
  KeyError,
  NotConfiguredError,
  skipCache,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let caches: ReturnType<typeof createCacheManager>

beforeEach(() => {
  caches = createCacheManager({
    namespace: 'decorators',
    local: lruStore(),
    defaults: { ttl: '1h' },
  })
})
afterEach(() => caches.close())

interface Item {
  readonly id: string
  readonly n: number
}

describe('a decorated method', () => {
  it('keeps this, name and length, and runs once per key', async () => {
    class Service {
      calls = 0
      factor = 10

      @Cacheable({ key: (n: number) => n })
      async times(n: number, _unused?: string): Promise<number> {
        this.calls += 1
        return n * this.factor
      }
    }
    const service = new Service()

    expect(await service.times(2)).toBe(20)
    expect(await service.times(2)).toBe(20)
    expect(await service.times(3, 'x')).toBe(30)
    expect(service.calls).toBe(2)
    expect(service.times.name).toBe('times')
    expect(service.times.length).toBe(2)
  })

  it('works as static, symbol-named and inherited method', async () => {
    const named = Symbol('named')
    let calls = 0
    class Base {
      @Cacheable()
      static async shared(id: string): Promise<string> {
        calls += 1
        return `shared ${id}`
      }

      @Cacheable()
      async [named](id: string): Promise<string> {
        calls += 1
        return `symbol ${id}`
      }

      @Cacheable()
      async inherited(id: string): Promise<string> {
        calls += 1
        return `inherited ${id}`
      }
    }
    class Derived extends Base {}

    expect(await Base.shared('1')).toBe('shared 1')
    expect(await Base.shared('1')).toBe('shared 1')
    expect(await new Base()[named]('1')).toBe('symbol 1')
    expect(await new Base()[named]('1')).toBe('symbol 1')
    expect(await new Derived().inherited('1')).toBe('inherited 1')
    expect(await new Derived().inherited('1')).toBe('inherited 1')
    expect(calls).toBe(3)
  })

  it('can be overridden, and super has an entry of its own', async () => {
    const calls: string[] = []
    class Base {
      @Cacheable()
      async find(id: string): Promise<string> {
        calls.push('base')
        return `base ${id}`
      }
    }
    class Derived extends Base {
      @Cacheable()
      override async find(id: string): Promise<string> {
        calls.push('derived')
        return `derived of ${await super.find(id)}`
      }
    }

    expect(await new Derived().find('1')).toBe('derived of base 1')
    expect(await new Derived().find('1')).toBe('derived of base 1')
    expect(await new Base().find('1')).toBe('base 1')
    expect(calls).toEqual(['derived', 'base', 'base'])
  })

  it('passes errors through unchanged, thrown or rejected, and runs the method once for each', async () => {
    const problem = new TypeError('not today')
    let calls = 0
    class Service {
      @Cacheable()
      async rejects(_id: string): Promise<string> {
        calls += 1
        throw problem
      }

      @Cacheable()
      throws(_id: string): Promise<string> {
        calls += 1
        throw problem
      }
    }
    const service = new Service()

    await expect(service.rejects('1')).rejects.toBe(problem)
    await expect(service.throws('1')).rejects.toBe(problem)
    expect(calls).toBe(2)
  })

  it('keeps the metadata of other decorators', async () => {
    const note = (target: unknown, _context: unknown, descriptor?: PropertyDescriptor): void => {
      const method = (descriptor?.value ?? target) as object
      Reflect.defineMetadata('note', 'kept', method)
    }
    class Service {
      @Cacheable()
      @note
      async find(id: string): Promise<string> {
        return id
      }
    }

    expect(Reflect.getMetadata('note', Service.prototype.find)).toBe('kept')
  })

  it('with a synchronous body forced past the compiler is refused', async () => {
    class Service {
      @(Cacheable() as (...args: unknown[]) => never)
      find(id: string): string {
        return id
      }
    }

    await expect(new Service().find('1')).rejects.toThrow(InvalidOptionError)
    await expect(new Service().find('1')).rejects.toThrow(/Service\.find.*returns a promise/)
  })

  it('without a manager says so, naming class and method', async () => {
    await caches.close()
    class Orphan {
      @Cacheable()
      async find(id: string): Promise<string> {
        return id
      }
    }

    await expect(new Orphan().find('1')).rejects.toThrow(NotConfiguredError)
    await expect(new Orphan().find('1')).rejects.toThrow(/Orphan\.find/)
  })

  it('moves to a new default manager', async () => {
    let calls = 0
    class Service {
      @Cacheable()
      async find(id: string): Promise<string> {
        calls += 1
        return id
      }
    }
    const service = new Service()
    await service.find('1')
    await caches.close()
    caches = createCacheManager({ namespace: 'second', local: lruStore() })

    await service.find('1')
    expect(calls).toBe(2)
  })
})

describe('identity', () => {
  it('methods and classes never share default keys', async () => {
    @CacheConfig({ cache: 'same' })
    class Users {
      @Cacheable()
      async find(id: number): Promise<string> {
        return `user ${id}`
      }

      @Cacheable()
      async count(id: number): Promise<string> {
        return `count ${id}`
      }
    }
    @CacheConfig({ cache: 'same' })
    class Orders {
      @Cacheable()
      async find(id: number): Promise<string> {
        return `order ${id}`
      }
    }

    expect(await new Users().find(7)).toBe('user 7')
    expect(await new Orders().find(7)).toBe('order 7')
    expect(await new Users().count(7)).toBe('count 7')
  })

  it('two classes of one name must name their caches', async () => {
    const make = () => {
      class Twin {
        @Cacheable()
        async find(id: string): Promise<string> {
          return id
        }
      }
      return new Twin()
    }
    await make().find('1')

    await expect(make().find('1')).rejects.toThrow(/another class of this name/)
  })

  it('arguments that differ never share a key', async () => {
    class Service {
      @Cacheable()
      async echo(...args: unknown[]): Promise<unknown> {
        return { args }
      }
    }
    const service = new Service()
    const lists: unknown[][] = [
      [1],
      ['1'],
      [null],
      ['null'],
      [undefined],
      [],
      ['a:b', 'c'],
      ['a', 'b:c'],
      [['a', 'b']],
      ['a', 'b'],
      [{ a: 1 }],
      [{ a: '1' }],
      [new Map([[1, 2]])],
      [new Map([['1', 2]])],
      [new Set([1])],
      [[1]],
      [1n],
      [true],
      ['true'],
      [new Date(1)],
      [{ a: { b: 1 } }],
      [{ a: 1, b: 2 }],
      [Buffer.from('a')],
      [new Uint8Array([97])],
      ['\ud800'],
      ['\ud801'],
    ]
    const results = await Promise.all(lists.map((list) => service.echo(...list)))

    expect(new Set(results).size).toBe(lists.length)
    expect(await service.echo({ b: 2, a: 1 })).toBe(await service.echo({ a: 1, b: 2 }))
  })

  it('arguments without a canonical form are a clear error', async () => {
    class Service {
      @Cacheable()
      async take(_value: unknown): Promise<number> {
        return 1
      }
    }
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    for (const value of [() => 1, Symbol('s'), cycle, Promise.resolve(), new (class Thing {})()]) {
      await expect(new Service().take(value)).rejects.toThrow(KeyError)
    }
    await expect(new Service().take({ deep: [() => 1] })).rejects.toThrow(
      /Argument 0,? at \.deep\[0\]/,
    )
  })
})

describe('put, evict and each', () => {
  @CacheConfig({ cache: 'items' })
  class Items {
    readonly rows = new Map<string, Item>()
    asked: string[][] = []

    @Cacheable({
      key: (id: string) => id,
      tags: (item: Item | undefined) => (item ? [`n:${item.n}`] : []),
    })
    async find(id: string): Promise<Item | undefined> {
      this.asked.push([id])
      return this.rows.get(id)
    }

    @Cacheable({
      each: { key: (id: string) => id, by: (item: Item) => item.id },
      negativeTtl: '1m',
    })
    async findMany(ids: string[]): Promise<Item[]> {
      this.asked.push(ids)
      return ids.flatMap((id) => this.rows.get(id) ?? []).reverse()
    }

    @Cacheable({ each: { key: (id: string) => `slot:${id}` }, negativeTtl: '1m' })
    async slots(ids: string[]): Promise<(Item | null)[]> {
      this.asked.push(ids)
      return ids.map((id) => this.rows.get(id) ?? null)
    }

    @CachePut({ key: (item: Item) => item.id })
    async save(item: Item): Promise<Item> {
      this.rows.set(item.id, item)
      return item
    }

    @CachePut({ keyOf: (item: Item) => item.id })
    async create(n: number): Promise<Item> {
      return this.save({ id: `new-${n}`, n })
    }

    @CacheEvict({ key: (id: string) => id })
    async remove(id: string): Promise<boolean> {
      if (!this.rows.delete(id)) throw new Error('no such item')
      return true
    }

    @CacheEvict({ keys: (ids: string[]) => ids, when: 'before' })
    async removeAll(ids: string[]): Promise<void> {
      for (const id of ids) this.rows.delete(id)
    }

    @CacheEvict({ tags: (_: unknown, n: number) => [`n:${n}`] })
    async bump(_n: number): Promise<void> {}

    @CacheEvict({ all: true })
    async reset(): Promise<void> {}
  }

  let items: Items
  beforeEach(() => {
    items = new Items()
    for (const [n, id] of ['a', 'b', 'c', 'd'].entries()) items.rows.set(id, { id, n })
  })

  it('the body of each sees only the missing ids; order is the order asked for', async () => {
    expect(await items.findMany(['a', 'c'])).toEqual([
      { id: 'a', n: 0 },
      { id: 'c', n: 2 },
    ])
    expect(await items.findMany(['d', 'c', 'nobody', 'a', 'd'])).toEqual([
      { id: 'd', n: 3 },
      { id: 'c', n: 2 },
      { id: 'a', n: 0 },
      { id: 'd', n: 3 },
    ])
    expect(items.asked).toEqual([
      ['a', 'c'],
      ['d', 'nobody'],
    ])
    await items.findMany(['nobody'])
    expect(items.asked.length).toBe(2)
    expect(await items.findMany([])).toEqual([])
  })

  it('without by, gaps keep their places', async () => {
    expect(await items.slots(['a', 'x', 'b'])).toEqual([{ id: 'a', n: 0 }, null, { id: 'b', n: 1 }])
    expect(await items.slots(['x', 'b', 'c'])).toEqual([null, { id: 'b', n: 1 }, { id: 'c', n: 2 }])
    expect(items.asked).toEqual([['a', 'x', 'b'], ['c']])
  })

  it('one-key and each methods share entries', async () => {
    await items.findMany(['a'])
    expect(await items.find('a')).toEqual({ id: 'a', n: 0 })
    expect(items.asked).toEqual([['a']])
  })

  it('put replaces what is cached, with the key from arguments or result', async () => {
    await items.find('a')
    await items.save({ id: 'a', n: 99 })
    expect(await items.find('a')).toEqual({ id: 'a', n: 99 })

    await items.create(5)
    expect(await items.find('new-5')).toEqual({ id: 'new-5', n: 5 })
    expect(items.asked).toEqual([['a']])
  })

  it('evicts after success only, before when asked, by keys, tags, or all', async () => {
    await items.find('a')
    await items.remove('a')
    expect(await items.find('a')).toBeUndefined()
    await expect(items.remove('a')).rejects.toThrow('no such item')

    await items.findMany(['b', 'c'])
    await items.removeAll(['b', 'c'])
    expect(await items.findMany(['b', 'c'])).toEqual([])

    items.asked = []
    await items.find('d')
    await items.bump(3)
    await items.find('d')
    await items.reset()
    await items.find('d')
    expect(items.asked).toEqual([['d'], ['d'], ['d']])
  })

  it('cached() reaches the entry behind the method', async () => {
    const entry = cached(items, 'find')
    expect(entry.key('a')).toBe('items:a')
    expect(await entry.peek('a')).toBeUndefined()
    await items.find('a')
    expect(await entry.peek('a')).toEqual({ id: 'a', n: 0 })

    items.rows.set('a', { id: 'a', n: 7 })
    expect(await entry.refresh('a')).toEqual({ id: 'a', n: 7 })
    expect(await items.find('a')).toEqual({ id: 'a', n: 7 })

    await entry.set(['a'], { id: 'a', n: 8 })
    expect(await items.find('a')).toEqual({ id: 'a', n: 8 })
    await entry.evict('a')
    expect(await entry.peek('a')).toBeUndefined()
    expect(() => cached(items, 'remove')).toThrow(/decorated with @Cacheable/)
  })

  it('skipCache runs past the cache, refreshes, and leaves other callers alone', async () => {
    await items.find('a')
    items.rows.set('a', { id: 'a', n: 5 })
    const [skipped, usual] = await Promise.all([skipCache(() => items.find('a')), items.find('a')])

    expect(skipped).toEqual({ id: 'a', n: 5 })
    expect(usual).toEqual({ id: 'a', n: 0 })
    expect(await skipCache(() => items.find('a'), 'refresh')).toEqual({ id: 'a', n: 5 })
    expect(await items.find('a')).toEqual({ id: 'a', n: 5 })
  })

  it('describe lists what is decorated, and how', () => {
    const { className, config, methods } = describeClass(Items)
    expect(className).toBe('Items')
    expect(config.cache).toBe('items')
    expect(methods.map(({ name, operations }) => [name, operations[0]?.kind])).toContainEqual([
      'save',
      'cache-put',
    ])
    expect(methods.length).toBe(9)
  })

  it('any mix on one method works in the usual order', async () => {
    let runs = 0
    @CacheConfig({ cache: 'mixed' })
    class Mixed {
      @CacheEvict({ tags: ['listing'] })
      @CachePut({ key: (id: string) => id })
      async touch(id: string): Promise<string> {
        runs += 1
        return `${id} ${runs}`
      }

      @Cacheable({ key: 'all-{0}', tags: ['listing'] })
      async list(page: number): Promise<number> {
        return runs * 100 + page
      }

      @Cacheable({ key: (id: string) => id })
      async read(id: string): Promise<string> {
        return `never ${id}`
      }
    }
    const mixed = new Mixed()
    expect(await mixed.list(1)).toBe(1)
    expect(await mixed.touch('x')).toBe('x 1')
    expect(await mixed.list(1)).toBe(101)
    expect(await mixed.read('x')).toBe('x 1')
  })
})

describe('policy words', () => {
  it('condition neither looks nor stores; unless does not store; ttl 0 from the result keeps it out', async () => {
    let calls = 0
    class Service {
      @Cacheable({ key: (id: string) => id, condition: (id: string) => id !== 'skip' })
      async conditional(id: string): Promise<string> {
        calls += 1
        return id
      }

      @Cacheable({ key: (id: string) => id, unless: (result: string) => result === 'bad' })
      async unless(id: string): Promise<string> {
        calls += 1
        return id
      }

      @Cacheable({
        key: (id: string) => id,
        ttl: (result: string) => (result === 'never' ? 0 : '1m'),
      })
      async ttl(id: string): Promise<string> {
        calls += 1
        return id
      }
    }
    const service = new Service()
    for (const [run, times] of [
      [() => service.conditional('skip'), 2],
      [() => service.conditional('ok'), 1],
      [() => service.unless('bad'), 2],
      [() => service.unless('ok'), 1],
      [() => service.ttl('never'), 2],
      [() => service.ttl('ok'), 1],
    ] as const) {
      calls = 0
      await run()
      await run()
      expect(calls).toBe(times)
    }
  })

  it('null and undefined are cached only with negativeTtl, and come back as what they were', async () => {
    let calls = 0
    class Service {
      @Cacheable({ key: (id: string) => id })
      async off(_id: string): Promise<null> {
        calls += 1
        return null
      }

      @Cacheable({ key: (id: string) => id, negativeTtl: '1m' })
      async on(id: string): Promise<null | undefined> {
        calls += 1
        return id === 'null' ? null : undefined
      }
    }
    const service = new Service()
    await service.off('1')
    await service.off('1')
    expect(calls).toBe(2)
    for (const id of ['null', 'undefined']) {
      await service.on(id)
      expect(await service.on(id)).toBe(id === 'null' ? null : undefined)
    }
    expect(calls).toBe(4)
  })

  it('frozen by default, cloned or shared when asked', async () => {
    class Service {
      @Cacheable({ key: (id: string) => id })
      async frozen(id: string): Promise<{ list: string[] }> {
        return { list: [id] }
      }

      @Cacheable({ key: (id: string) => id, isolation: 'cloned' })
      async cloned(id: string): Promise<{ list: string[] }> {
        return { list: [id] }
      }

      @Cacheable({ key: (id: string) => id, isolation: 'shared' })
      async shared(id: string): Promise<{ list: string[] }> {
        return { list: [id] }
      }
    }
    const service = new Service()
    for (const _ of ['miss', 'hit']) {
      await expect(service.frozen('1').then(({ list }) => list.push('x'))).rejects.toThrow(
        TypeError,
      )
      expect((await service.cloned('1')).list.push('x')).toBe(2)
    }
    ;(await service.shared('1')).list.push('x')
    expect((await service.shared('1')).list).toEqual(['1', 'x'])
  })
})

describe('mistakes are found at definition', () => {
  it.each([
    [
      () => Cacheable({ ttl: '5 minutes' as never }),
      /@Cacheable\.ttl takes a duration.*"5 minutes"/,
    ],
    [() => Cacheable({ tll: '5m' } as never), /@Cacheable\.tll.*Did you mean ttl/],
    [() => Cacheable({ key: 42 as never }), /@Cacheable\.key/],
    [() => Cacheable({ key: 'no slot' }), /@Cacheable\.key takes a template/],
    [() => Cacheable({ key: '{0}{1}' }), /between its slots/],
    [() => Cacheable({ key: '{0' }), /@Cacheable\.key/],
    [() => Cacheable({ tags: [''] }), /@Cacheable\.tags/],
    [() => Cacheable({ tags: 'x' as never }), /@Cacheable\.tags/],
    [() => Cacheable({ cache: 'no spaces' }), /@Cacheable\.cache/],
    [() => Cacheable({ jitter: 2 }), /@Cacheable\.jitter/],
    [() => Cacheable({ isolation: 'deep' as never }), /@Cacheable\.isolation/],
    [
      () => Cacheable({ each: { key: (id: string) => id }, key: '{0}' } as never),
      /@Cacheable\.key/,
    ],
    [() => Cacheable({ each: {} } as never), /@Cacheable\.each\.key/],
    [() => CachePut({}), /either key/],
    [() => CacheEvict({}), /something to evict/],
    [() => CacheEvict({ all: true, when: 'during' as never }), /@CacheEvict\.when/],
    [() => CacheConfig({ cahce: 'x' } as never), /Did you mean cache/],
    [() => createCacheManager({ namespace: 'a b' }), /namespace/],
    [() => createCacheManager({ namespace: 'a', local: {} as never }), /local/],
    [() => createCacheManager({ namespace: 'a', defaults: { ttl: -1 } }), /defaults\.ttl/],
  ])('%#', (define, message) => {
    // A decorator applies its options when it is made; key sources are read when it meets its method.
    const apply = (): void => {
      const made: unknown = define()
      if (typeof made !== 'function') return
      class Target {
        async method(): Promise<void> {}
      }
      const descriptor = Object.getOwnPropertyDescriptor(Target.prototype, 'method')
      ;(made as (...args: unknown[]) => unknown)(Target.prototype, 'method', descriptor)
    }
    expect(apply).toThrow(InvalidOptionError)
    expect(apply).toThrow(message)
  })

  it('fields, accessors and classes cannot be decorated', () => {
    const decorate = Cacheable() as unknown as (...args: unknown[]) => unknown
    expect(() => decorate(undefined, { kind: 'field', name: 'x' })).toThrow(/method to decorate/)
    expect(() => decorate(() => 1, { kind: 'getter', name: 'x' })).toThrow(/method to decorate/)
    expect(() => decorate(class {}, { kind: 'class', name: 'x' })).toThrow(/method to decorate/)
    expect(() => decorate({}, 'x')).toThrow(/method to decorate/)
  })
})
