/** An inherited method belongs to the class it is called on: one class's rows never come out of another's. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  CachePut,
  cached,
  createCacheManager,
  describeClass,
  RateLimited,
  WithLock,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let caches: ReturnType<typeof createCacheManager>

beforeEach(() => {
  caches = createCacheManager({ namespace: 'inheritance', local: lruStore() })
})
afterEach(() => caches.close())

interface Row {
  readonly id: string
  readonly kind: string
}

const rows = (found: readonly Row[]): readonly string[] => found.map(({ kind }) => kind)

describe('a generic base repository', () => {
  abstract class BaseRepo<T extends Row> {
    protected abstract readonly table: string
    loads = 0

    #load(id: string): T {
      this.loads += 1
      return { id, kind: this.table } as T
    }

    @Cacheable({ key: (id: string) => id })
    async findById(id: string): Promise<T> {
      return this.#load(id)
    }

    @Cacheable()
    async findByDefault(id: string): Promise<T> {
      return this.#load(id)
    }

    @Cacheable({ cache: undefined, each: { key: (id: string) => id, by: (row: Row) => row.id } })
    async findMany(ids: readonly string[]): Promise<T[]> {
      return ids.map((id) => this.#load(id))
    }
  }
  class UserRepo extends BaseRepo<Row> {
    protected readonly table = 'users'
  }
  class InvoiceRepo extends BaseRepo<Row> {
    protected readonly table = 'invoices'
  }

  it('keeps the rows of each entity apart, whatever the key is made of', async () => {
    const [users, invoices] = [new UserRepo(), new InvoiceRepo()]

    expect(rows([await users.findById('1'), await invoices.findById('1')])).toEqual([
      'users',
      'invoices',
    ])
    expect(rows([await users.findByDefault('1'), await invoices.findByDefault('1')])).toEqual([
      'users',
      'invoices',
    ])
    expect(rows([...(await users.findMany(['1'])), ...(await invoices.findMany(['1']))])).toEqual([
      'users',
      'invoices',
    ])
    await new UserRepo().findById('1')
    await new InvoiceRepo().findById('1')
    expect([users.loads, invoices.loads]).toEqual([3, 3])
  })

  it('has its entries named after the subclass, in cached() and describe() as well', async () => {
    expect(cached(new UserRepo(), 'findById').key('1')).toBe('UserRepo.findById:1')
    expect(cached(new InvoiceRepo(), 'findById').key('1')).toBe('InvoiceRepo.findById:1')
    expect(
      describeClass(UserRepo).methods.map(({ label, cache }) => [label, cache]),
    ).toContainEqual(['UserRepo.findById', 'UserRepo.findById'])
    await new UserRepo().findById('1')
    await cached(new InvoiceRepo(), 'findById').evict('1')
    expect(await cached(new UserRepo(), 'findById').peek('1')).toBeDefined()
  })

  it('shares one entry between the objects of a class, and those made of them', async () => {
    const users = new UserRepo()
    await users.findById('7')
    const derived = Object.create(users) as UserRepo
    const proxied = new Proxy(users, {
      get: (target, name) => Reflect.get(target, name, target) as unknown,
    })

    expect((await new UserRepo().findById('7')).kind).toBe('users')
    expect(await cached(derived, 'findById').peek('7')).toBeDefined()
    expect(await cached(proxied, 'findById').peek('7')).toBeDefined()
    expect(users.loads).toBe(1)
  })

  it('is not misled by an object that says it is of another class', async () => {
    const liar = Object.assign(new InvoiceRepo(), { constructor: UserRepo })
    await new UserRepo().findById('1')

    expect((await liar.findById('1')).kind).toBe('invoices')
  })
})

describe('what the class says', () => {
  class Base {
    protected readonly table: string = 'base'
    loads = 0

    @Cacheable({ key: (id: string) => id })
    async find(id: string): Promise<Row> {
      this.loads += 1
      return { id, kind: this.table }
    }

    @CachePut({ key: (row: Row) => row.id })
    async save(row: Row): Promise<Row> {
      return row
    }

    @CacheEvict({ key: (id: string) => id })
    async remove(_id: string): Promise<void> {}

    @CacheEvict({ all: true })
    async reset(): Promise<void> {}
  }

  @CacheConfig({ cache: 'users2', ttl: '1m' })
  class Users extends Base {
    protected override readonly table = 'users'
  }

  @CacheConfig({ cache: 'invoices2' })
  class Invoices extends Base {
    protected override readonly table = 'invoices'
  }

  it('counts for the methods it inherits: find, save, remove and all', async () => {
    const [users, invoices] = [new Users(), new Invoices()]
    await users.find('1')
    await invoices.find('1')
    expect(cached(users, 'find').key('1')).toBe('users2:1')

    await users.save({ id: '1', kind: 'saved' })
    expect(rows([await users.find('1'), await invoices.find('1')])).toEqual(['saved', 'invoices'])
    await users.remove('1')
    await invoices.reset()
    expect(rows([await users.find('1'), await invoices.find('1')])).toEqual(['users', 'invoices'])
    expect([users.loads, invoices.loads]).toEqual([2, 2])
    expect(describeClass(Users).methods.map(({ cache }) => cache)).toEqual(
      Array.from({ length: 4 }, () => 'users2'),
    )
  })

  it('names nobody’s cache, so an eviction says whose class it is about', async () => {
    class Nameless extends Base {}
    await expect(new Nameless().remove('1')).rejects.toThrow(
      /@CacheEvict\(Nameless\.remove\)\.cache takes the name/,
    )
  })
})

describe('one named cache for several classes', () => {
  it('is refused at the first call of the second, which says what to do', async () => {
    @CacheConfig({ cache: 'entities' })
    class Base {
      @Cacheable({ key: (id: string) => id })
      async find(id: string): Promise<Row> {
        return { id, kind: this.constructor.name }
      }

      @CachePut({ keyOf: (row: Row) => row.id })
      async save(row: Row): Promise<Row> {
        return row
      }
    }
    class Users extends Base {}
    class Invoices extends Base {}
    await new Users().find('1')

    for (const call of [
      () => new Invoices().find('1'),
      () => new Base().find('1'),
      () => new Invoices().save({ id: '1', kind: 'x' }),
    ]) {
      await expect(call()).rejects.toThrow(/shareWithSubclasses: true/)
    }
    await expect(new Invoices().find('1')).rejects.toThrow(
      /@Cacheable\(Invoices\.find\)\.cache .*Users and Invoices both inherit/,
    )
    expect((await new Users().find('1')).kind).toBe('Users')
  })

  it('is refused where one class puts and another one reads', async () => {
    class Base {
      @Cacheable({ cache: 'rows', key: (id: string) => id })
      async find(id: string): Promise<Row> {
        return { id, kind: this.constructor.name }
      }

      @CachePut({ cache: 'rows', key: '{0.id}' })
      async save(row: Row): Promise<Row> {
        return row
      }
    }
    class Users extends Base {}
    class Invoices extends Base {}
    await new Users().save({ id: '1', kind: 'user' })

    await expect(new Invoices().find('1')).rejects.toThrow(/Users and Invoices/)
  })

  it('is fine with something of the object in the key, with default keys, or when it is said', async () => {
    @CacheConfig({ cache: 'some' })
    class Base {
      readonly table: string = 'base'

      @Cacheable({
        key: function (this: Base, id: string) {
          return [this.table, id]
        },
      })
      async byKey(id: string): Promise<string> {
        return `${this.table} ${id}`
      }

      @Cacheable()
      async byDefault(id: string): Promise<string> {
        return `${this.table} ${id}`
      }

      @Cacheable({ cache: 'said', key: (id: string) => id, shareWithSubclasses: true })
      async said(id: string): Promise<string> {
        return `any ${id}`
      }
    }
    class Users extends Base {
      override readonly table = 'users'
    }
    for (const method of ['byKey', 'byDefault'] as const) {
      expect(await new Base()[method]('1')).toBe('base 1')
      expect(await new Users()[method]('1')).toBe('users 1')
    }
    expect([await new Base().said('1'), await new Users().said('1')]).toEqual(['any 1', 'any 1'])
    expect(cached(new Users(), 'said').key('1')).toBe(cached(new Base(), 'said').key('1'))
  })

  it('can be said by the class for all its methods, named or not', async () => {
    let loads = 0
    @CacheConfig({ shareWithSubclasses: true })
    class Base {
      @Cacheable()
      async find(id: string): Promise<string> {
        loads += 1
        return id
      }
    }
    class Derived extends Base {}
    await new Base().find('1')
    await new Derived().find('1')

    expect(loads).toBe(1)
    expect(cached(new Derived(), 'find').key('1')).toBe("Base.find:'1")
  })
})

describe('super', () => {
  class Base {
    readonly table: string = 'base'

    @Cacheable({ key: (id: string) => id })
    async find(id: string): Promise<string> {
      return `${this.table} ${id}`
    }
  }

  it('called from an override reaches the row of the class it was called on', async () => {
    class Users extends Base {
      override readonly table = 'users'
      override async find(id: string): Promise<string> {
        return super.find(id)
      }
    }
    class Invoices extends Base {
      override readonly table = 'invoices'
      @Cacheable({ key: (id: string) => id })
      override async find(id: string): Promise<string> {
        return `decorated ${await super.find(id)}`
      }
    }
    class Late extends Invoices {
      override readonly table = 'late' as 'invoices'
      override async find(id: string): Promise<string> {
        return `late ${await super.find(id)}`
      }
    }

    for (let i = 0; i < 2; i++) {
      expect(await new Base().find('1')).toBe('base 1')
      expect(await new Users().find('1')).toBe('users 1')
      expect(await new Invoices().find('1')).toBe('decorated invoices 1')
      expect(await new Late().find('1')).toBe('late decorated late 1')
    }
  })

  // biome-ignore-start lint/complexity/noStaticOnlyClass: statics are what this is about.
  // biome-ignore-start lint/complexity/noThisInStatic: so is whom they are called on.
  it('of a static method as well', async () => {
    class Model {
      static readonly table: string = 'models'
      @Cacheable({ key: (id: string) => id })
      static async get(id: string): Promise<string> {
        return `${Model.of(this)} ${id}`
      }
      static of({ table }: { readonly table: string }): string {
        return table
      }
    }
    class User extends Model {
      static override readonly table = 'users'
    }
    class Invoice extends Model {
      static override readonly table = 'invoices'
      static override async get(id: string): Promise<string> {
        return super.get(id)
      }
    }
    const { get } = Model

    for (const [owner, text] of [
      [Model, 'models 1'],
      [User, 'users 1'],
      [Invoice, 'invoices 1'],
    ] as const) {
      expect(await owner.get('1')).toBe(text)
      expect(await owner.get('1')).toBe(text)
    }
    expect(cached(User, 'get').key('1')).toBe('User.static.get:1')
    await expect(get.call(undefined as never, '1')).resolves.toBe('models 1')
  })
  // biome-ignore-end lint/complexity/noThisInStatic: see above.
  // biome-ignore-end lint/complexity/noStaticOnlyClass: see above.
})

describe('classes made by functions', () => {
  it('that give them names have entries of their own', async () => {
    class Root {}
    // biome-ignore lint/suspicious/noExplicitAny: TypeScript asks mixins for exactly this.
    const withFind = <C extends abstract new (...args: any[]) => object>(
      Parent: C,
      table: string,
    ) => {
      abstract class Found extends Parent {
        @Cacheable({ key: (id: string) => id })
        async find(id: string): Promise<string> {
          return `${table} ${id}`
        }
      }
      return Found
    }
    class Users extends withFind(Root, 'users') {}
    class Invoices extends withFind(Root, 'invoices') {}

    expect(await new Users().find('1')).toBe('users 1')
    expect(await new Invoices().find('1')).toBe('invoices 1')
  })

  it('that have nothing of their own are what they extend', async () => {
    let loads = 0
    class Service {
      @Cacheable()
      async find(id: string): Promise<string> {
        loads += 1
        return id
      }
    }
    const bare = (): (new () => Service) => class extends Service {}
    await new Service().find('1')
    for (let i = 0; i < 3; i++) await new (bare())().find('1')

    expect(loads).toBe(1)
  })

  it('that have members but no name are refused from the second on', async () => {
    class Base {
      readonly table: string = 'base'
      @Cacheable({ key: (id: string) => id })
      async find(id: string): Promise<string> {
        return `${this.table} ${id}`
      }
    }
    const make = (table: string): (new () => Base) =>
      class extends Base {
        override readonly table = table
      }
    const [Users, Invoices] = [make('users'), make('invoices')]

    expect(await new Users().find('1')).toBe('users 1')
    await expect(new Invoices().find('1')).rejects.toThrow(/another class of this name/)
    expect(await new Users().find('1')).toBe('users 1')
  })

  it('methods copied to other classes belong to those', async () => {
    class Findable {
      declare readonly table: string
      @Cacheable({ key: (id: string) => id })
      async find(id: string): Promise<string> {
        return `${this.table} ${id}`
      }
    }
    class Users {
      readonly table = 'users'
    }
    class Invoices {
      readonly table = 'invoices'
    }
    for (const { prototype } of [Users, Invoices]) {
      Object.assign(prototype, { find: Findable.prototype.find })
    }
    const [users, invoices] = [new Users(), new Invoices()] as unknown as [Findable, Findable]

    expect(await users.find('1')).toBe('users 1')
    expect(await invoices.find('1')).toBe('invoices 1')
  })
})

describe('locks and limits', () => {
  class Base {
    @RateLimited({ key: (ip: string) => ip, limit: 2, per: '1m' })
    async hit(_ip: string): Promise<string> {
      return this.constructor.name
    }

    @WithLock({ wait: 0 })
    async locked(_id: string, inside?: () => Promise<unknown>): Promise<unknown> {
      return inside?.()
    }
  }
  class Users extends Base {}
  class Invoices extends Base {}

  it('count for the class a method is called on', async () => {
    await new Users().hit('x')
    await new Users().hit('x')

    expect(await new Invoices().hit('x')).toBe('Invoices')
    await expect(new Users().hit('x')).rejects.toMatchObject({ code: 'LARDER_RATE_LIMITED' })
  })

  it('are told apart by class where the key is the method’s own', async () => {
    await expect(
      new Users().locked('1', () => new Invoices().locked('1', async () => 'both')),
    ).rejects.toMatchObject({ code: 'LARDER_KEY' })
    class Keyless {
      @WithLock({ wait: 0 })
      async locked(): Promise<string> {
        const { name } = this.constructor
        return name === 'One' ? new Two().locked() : name
      }
    }
    class One extends Keyless {}
    class Two extends Keyless {}

    expect(await new One().locked()).toBe('Two')
  })
})
