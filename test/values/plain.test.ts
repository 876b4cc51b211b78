/** `toPlain` and `fromPlain`: entities that every caller gets alike, whichever tier they came from. */

import { Cacheable, CacheConfig, CachePut, createCacheManager, ValueError } from '@larder/core'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'

interface UserRow {
  readonly id: string
  readonly name: string
}

/** As an ORM makes them: with behaviour, and with more inside than anybody should keep. */
class User {
  readonly #row: UserRow
  readonly session = { connection: () => 'open' }

  constructor(row: UserRow) {
    this.#row = row
  }

  get name(): string {
    return this.#row.name
  }

  toRow(): UserRow {
    return { ...this.#row }
  }
}

const plain = {
  toPlain: (user: User) => user.toRow(),
  fromPlain: (row: UserRow) => new User(row),
}

class Users {
  loads = 0

  @Cacheable({ cache: 'users', key: (id: string) => id, negativeTtl: '1m', ...plain })
  async find(id: string): Promise<User | undefined> {
    this.loads += 1
    return id === 'none' ? undefined : new User({ id, name: `name of ${id}` })
  }

  @Cacheable({ cache: 'cloned', key: (id: string) => id, isolation: 'cloned', ...plain })
  async findCloned(id: string): Promise<User> {
    return new User({ id, name: `name of ${id}` })
  }

  @CachePut({ cache: 'users', key: (id: string) => id, ...plain })
  async rename(id: string, name: string): Promise<User> {
    return new User({ id, name })
  }

  @Cacheable({ cache: 'raw', key: (id: string) => id })
  async raw(id: string): Promise<User> {
    return new User({ id, name: id })
  }
}

@CacheConfig({ cache: 'config', ...plain })
class ConfiguredUsers {
  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<User> {
    return new User({ id, name: id })
  }
}

describe.each(['in process', 'with a shared tier'])('%s', (where) => {
  let server: MemoryServer

  beforeEach(() => {
    server = new MemoryServer()
    node()
  })

  function node() {
    const remote = where === 'in process' ? {} : { remote: server.store(), codec: structuredCodec }
    const caches = createCacheManager({ namespace: 'plain', local: lruStore(), ...remote })
    onTestFinished(() => caches.close())
    return caches
  }

  it('every caller gets an entity made anew from what was kept', async () => {
    const users = new Users()
    const found = [await users.find('1'), await users.find('1')]
    if (where !== 'in process') {
      node()
      found.push(await users.find('1'))
    }
    expect(users.loads).toBe(1)
    for (const user of found) {
      expect(user).toBeInstanceOf(User)
      expect(user?.name).toBe('name of 1')
    }
  })

  it('nothing is converted that is not there', async () => {
    const users = new Users()
    expect([await users.find('none'), await users.find('none')]).toEqual([undefined, undefined])
    expect(users.loads).toBe(1)
  })

  it('cloned, every hit is an entity of its own', async () => {
    const users = new Users()
    const found = [await users.findCloned('1'), await users.findCloned('1')]
    expect(found[0]).not.toBe(found[1])
    expect(found.map((user) => user.name)).toEqual(['name of 1', 'name of 1'])
  })

  it('a put is converted as well, and so is what a class configures', async () => {
    const users = new Users()
    await users.find('1')
    await users.rename('1', 'Ann')
    expect((await users.find('1'))?.name).toBe('Ann')
    expect(users.loads).toBe(1)
    expect((await new ConfiguredUsers().find('1')).name).toBe('1')
  })

  it('what is not converted is refused, naming method, cache, key and place', async () => {
    const refusal: unknown = await new Users().raw('7').catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(ValueError)
    expect(refusal).toMatchObject({
      where: '@Cacheable(Users.raw)',
      cache: 'raw',
      key: 'raw:7',
      path: '$',
    })
    const { message } = refusal as ValueError
    expect(message).toContain('@Cacheable(Users.raw), cache raw: An instance of User at $')
    expect(message).toContain('toPlain')
  })

  it('a function that throws is named', async () => {
    const caches = node()
    const cache = caches.cache('broken', {
      toPlain: () => {
        throw new Error('why')
      },
    })
    const refusal: unknown = await cache.getOrLoad('k', () => 1).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ cache: 'broken', cause: new Error('why') })
  })
})

describe('strictValues', () => {
  const options = { namespace: 'strict', local: lruStore(), default: false }

  it('is on unless NODE_ENV is production', async () => {
    const before = process.env['NODE_ENV']
    onTestFinished(() => {
      process.env['NODE_ENV'] = before
    })
    const outcomes: unknown[] = []
    for (const env of ['development', 'production']) {
      process.env['NODE_ENV'] = env
      const caches = createCacheManager({ ...options, local: lruStore() })
      const loading = caches.cache('c').getOrLoad('k', () => () => 1)
      outcomes.push(
        await loading.then(
          () => 'kept',
          () => 'refused',
        ),
      )
      await caches.close()
    }
    expect(outcomes).toEqual(['refused', 'kept'])
  })

  it('takes true and false and nothing else', () => {
    expect(() =>
      createCacheManager({ ...options, strictValues: 'yes' as unknown as boolean }),
    ).toThrow('createCacheManager.strictValues')
    expect(() => createCacheManager({ ...options, defaults: { toPlain: 1 as never } })).toThrow(
      'toPlain',
    )
  })
})

describe('errors that cannot come back the same', () => {
  it('are remembered by the node alone, and thrown as they are', async () => {
    const server = new MemoryServer()
    const make = () => {
      const caches = createCacheManager({
        namespace: 'errors',
        local: lruStore(),
        remote: server.store(),
        codec: structuredCodec,
        default: false,
        defaults: { cacheErrors: () => '1m' },
      })
      onTestFinished(() => caches.close())
      return caches.cache('c')
    }
    const [a, b] = [make(), make()]
    const error = Object.assign(new Error('no'), { retry: () => 1 })
    let loads = 0
    const load = (): Promise<never> => {
      loads += 1
      return Promise.reject(error)
    }
    for (const cache of [a, a, b, b]) await expect(cache.getOrLoad('k', load)).rejects.toBe(error)
    expect(loads).toBe(2)
  })
})
