/** `caches.bind(object)`: objects of one class, each with the manager it belongs to. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  type CacheManager,
  ClosedError,
  cached,
  createCacheManager,
  currentLock,
  describeClass,
  InvalidOptionError,
  RateLimited,
  WithLock,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { afterEach, expect, it } from 'vitest'

const open: CacheManager[] = []
let count = 0

function made(options: { readonly default?: boolean } = { default: false }): CacheManager {
  const manager = createCacheManager({ namespace: `n${count++}`, local: lruStore(), ...options })
  open.push(manager)
  return manager
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((manager) => manager.close()))
})

abstract class Base {
  loads = 0

  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<string> {
    this.loads += 1
    return `${this.constructor.name} ${id} ${this.loads}`
  }

  @CacheEvict({ cache: 'Users.find', key: (id: string) => id })
  async remove(id: string): Promise<void> {
    void id
  }
}

class Users extends Base {
  @WithLock({ key: (id: string) => id })
  async locked(id: string): Promise<string> {
    return `${id} ${currentLock().keys}`
  }

  @RateLimited({ limit: 1, per: '1h' })
  async limited(): Promise<string> {
    return 'passed'
  }

  @Cacheable({ key: () => 'all' })
  static async shared(): Promise<string> {
    return 'shared'
  }
}

class Invoices extends Base {}

it('two objects of one class use the manager that each is bound to, call by call', async () => {
  const [one, two] = [made(), made()]
  const [first, second] = [one.bind(new Users()), two.bind(new Users())]
  for (let i = 0; i < 3; i++) {
    expect(await first.find('a')).toBe('Users a 1')
    expect(await second.find('a')).toBe('Users a 1')
  }
  expect(await one.cache('Users.find').get('a')).toBe('Users a 1')
  await first.remove('a')
  expect(await one.cache('Users.find').get('a')).toBeUndefined()
  expect(await two.cache('Users.find').get('a')).toBe('Users a 1')
  expect(cached(first, 'find').key('a')).toBe(`${cached(second, 'find').key('a')}`)
  expect(await cached(first, 'find').peek('a')).toBeUndefined()
  expect(await cached(second, 'find').peek('a')).toBe('Users a 1')
})

it('objects of one manager share entries, locks and limits', async () => {
  const one = made()
  const two = made()
  const [first, again] = [one.bind(new Users()), one.bind(new Users())]
  const other = two.bind(new Users())
  expect(await first.find('a')).toBe('Users a 1')
  expect(await again.find('a')).toBe('Users a 1')
  expect(await first.locked('x')).toBe('x x')
  expect(await first.limited()).toBe('passed')
  await expect(again.limited()).rejects.toMatchObject({ code: 'LARDER_RATE_LIMITED' })
  expect(await other.limited()).toBe('passed')
})

it('a bound object is used by its manager, an unbound one by the default', async () => {
  const usual = made({})
  const own = made()
  const before = new Users()
  const bound = own.bind(new Users())
  expect(await before.find('a')).toBe('Users a 1')
  expect(await usual.cache('Users.find').get('a')).toBe('Users a 1')
  expect(await own.cache('Users.find').get('a')).toBeUndefined()
  // One that was called before it was bound moves.
  own.bind(before)
  expect(await before.find('a')).toBe('Users a 2')
  expect(await bound.find('a')).toBe('Users a 2')
})

it('classes that inherit a method stay apart', async () => {
  const one = made()
  const [users, invoices] = [one.bind(new Users()), one.bind(new Invoices())]
  expect([await users.find('1'), await invoices.find('1')]).toEqual(['Users 1 1', 'Invoices 1 1'])
})

it('an object stays of its class, for everybody who asks', () => {
  const one = made()
  const users = one.bind(new Users())
  expect(users).toBeInstanceOf(Users)
  expect(users).toBeInstanceOf(Base)
  expect(users.constructor).toBe(Users)
  expect(Object.keys(users)).toEqual(['loads'])
  expect(users).toStrictEqual(new Users())
  expect(describeClass(users.constructor as typeof Users)).toEqual(describeClass(Users))
})

it('proxies, and objects made of a bound one, are bound as well', async () => {
  const one = made()
  const users = one.bind(new Users())
  expect(await users.find('a')).toBe('Users a 1')
  expect(await new Proxy(users, {}).find('a')).toBe('Users a 1')
  expect(await (Object.create(users) as Users).find('a')).toBe('Users a 1')
})

it('what @CacheConfig names comes first', async () => {
  const [named, bound] = [made(), made()]

  @CacheConfig({ cache: 'named', manager: () => named })
  class Named {
    @Cacheable({ key: (id: string) => id })
    async find(id: string): Promise<string> {
      return id
    }
  }
  await bound.bind(new Named()).find('a')
  expect(await named.cache('named').get('a')).toBe('a')
})

it('after its manager is closed, an object is refused, and may be bound anew', async () => {
  const usual = made({})
  const [one, two] = [made(), made()]
  const users = one.bind(new Users())
  await users.find('a')
  await one.close()
  await expect(users.find('a')).rejects.toThrow(ClosedError)
  await expect(users.limited()).rejects.toThrow(ClosedError)
  two.bind(users)
  expect(await users.find('a')).toBe('Users a 2')
  expect(Object.getPrototypeOf(Object.getPrototypeOf(users))).toBe(Users.prototype)
  expect(await usual.cache('Users.find').get('a')).toBeUndefined()
})

it('binding again to the same manager changes nothing', () => {
  const one = made()
  const users = one.bind(new Users())
  const prototype: unknown = Object.getPrototypeOf(users)
  expect(one.bind(users)).toBe(users)
  expect(Object.getPrototypeOf(users)).toBe(prototype)
})

it('static methods have no object, and use the default manager', async () => {
  const usual = made({})
  made().bind(new Users())
  expect(await Users.shared()).toBe('shared')
  expect(await usual.cache('Users.static.shared').get('all')).toBe('shared')
})

it('what cannot be bound is refused', async () => {
  const [one, two] = [made(), made()]
  const wrong: readonly unknown[] = [
    undefined,
    null,
    7,
    'text',
    Users,
    Users.prototype,
    {},
    Object.create(null),
    Object.freeze(new Users()),
    one.bind(new Users()),
    new Proxy(new Users(), { setPrototypeOf: () => false }),
  ]
  for (const object of wrong) {
    expect(() => two.bind(object as object), String(typeof object)).toThrow(InvalidOptionError)
  }
  expect(() => two.bind(Users)).toThrow(
    /bind\.object takes an object of a class.*static methods use/,
  )
  expect(() => two.bind(one.bind(new Users()))).toThrow(/another manager that is open/)
  await two.close()
  expect(() => two.bind(new Users())).toThrow(ClosedError)
})
