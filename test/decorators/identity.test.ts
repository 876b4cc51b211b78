/** A decorated method is still that method, and its entries belong to the class it is called on. */

import { Cacheable, CacheConfig, CacheEvict } from '@larder/core'
import type { MethodCacheProvider } from '@larder/core/store'
import { beforeEach, describe, expect, it } from 'vitest'
import { RecordingProvider } from './support/recording-provider.ts'

let provider: RecordingProvider
const manager = (): MethodCacheProvider => provider

beforeEach(() => {
  provider = new RecordingProvider()
})

const labels = (): readonly string[] => provider.described.map(({ method }) => method)
const names = (): readonly string[] => provider.described.map(({ cacheName }) => cacheName)

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

/** Another library's decorator, which puts a function of its own on top. */
function foreign(target: unknown, _context: unknown, descriptor?: PropertyDescriptor): never {
  const wrap = (inner: AnyFunction): AnyFunction =>
    function (...args) {
      return inner.apply(this, args)
    }
  const made =
    descriptor === undefined
      ? wrap(target as AnyFunction)
      : { ...descriptor, value: wrap(descriptor.value as AnyFunction) }
  return made as never
}

describe('a decorated method', () => {
  it('stays where it was: not enumerable, writable, configurable', () => {
    class Service {
      @Cacheable()
      async find(): Promise<void> {}
    }
    const { enumerable, writable, configurable } =
      Object.getOwnPropertyDescriptor(Service.prototype, 'find') ?? {}

    expect([enumerable, writable, configurable]).toEqual([false, true, true])
  })

  it('cannot be constructed, like any method', () => {
    class Service {
      @Cacheable()
      async find(): Promise<void> {}

      @Cacheable({ each: { key: (id: string) => id } })
      async findMany(_ids: string[]): Promise<string[]> {
        return _ids
      }
    }
    for (const method of [Service.prototype.find, Service.prototype.findMany]) {
      expect(() => Reflect.construct(method, [])).toThrow(TypeError)
      expect('prototype' in method).toBe(false)
    }
  })

  it('keeps the properties that others put on the function', () => {
    const mark = (target: unknown, _context: unknown, descriptor?: PropertyDescriptor): void => {
      Object.assign((descriptor?.value ?? target) as object, { route: '/find' })
    }
    class Service {
      @Cacheable()
      @mark
      async find(_id: string, _more?: number): Promise<void> {}
    }

    const { name, length } = Service.prototype.find
    expect([name, length]).toEqual(['find', 2])
    expect(Object.entries(Service.prototype.find)).toEqual([['route', '/find']])
  })

  it('works off its object once that was made', async () => {
    @CacheConfig({ manager })
    class Service {
      @Cacheable()
      async find(id: string): Promise<string> {
        return `found ${id}`
      }
    }
    const { find } = new Service()

    expect(await find.call(undefined as never, '1')).toBe('found 1')
    expect(labels()).toEqual(['Service.find'])
  })

  it('works with overloads and for an abstract method', async () => {
    abstract class Base {
      abstract find(id: string): Promise<string>
      abstract find(id: number): Promise<number>
    }
    @CacheConfig({ manager })
    class Service extends Base {
      override find(id: string): Promise<string>
      override find(id: number): Promise<number>
      @Cacheable()
      override async find(id: string | number): Promise<string | number> {
        return id
      }
    }
    const service: Base = new Service()
    const [text, number]: [string, number] = [await service.find('1'), await service.find(1)]

    expect([text, number]).toEqual(['1', 1])
    expect(labels()).toEqual(['Service.find'])
  })
})

describe('entries belong to the class a method is called on', () => {
  it('when a subclass inherits the method', async () => {
    @CacheConfig({ manager })
    class Base {
      @Cacheable()
      async find(): Promise<string> {
        return this.constructor.name
      }
    }
    class Derived extends Base {}

    expect(await new Derived().find()).toBe('Derived')
    expect(await new Base().find()).toBe('Base')
    expect(labels()).toEqual(['Derived.find', 'Base.find'])
  })

  it('when a subclass overrides it and calls super, with a foreign decorator on either', async () => {
    @CacheConfig({ manager })
    class Base {
      @foreign
      @Cacheable()
      async find(id: string): Promise<string> {
        return `base ${id}`
      }
    }
    class Derived extends Base {
      @foreign
      @Cacheable()
      override async find(id: string): Promise<string> {
        return `derived ${await super.find(id)}`
      }
    }
    class Plain extends Base {
      override async find(id: string): Promise<string> {
        return `plain ${await super.find(id)}`
      }
    }

    expect(await new Plain().find('1')).toBe('plain base 1')
    expect(await new Derived().find('1')).toBe('derived base 1')
    expect(labels()).toEqual(['Plain.find^Base', 'Derived.find', 'Derived.find^Base'])
    expect([...provider.values.keys()].sort()).toEqual([
      "Derived.find:'1",
      expect.stringMatching(/^Derived\.find_Base-[0-9a-f]{12}:'1$/),
      expect.stringMatching(/^Plain\.find_Base-[0-9a-f]{12}:'1$/),
    ])
  })

  it('static and instance methods of one name have entries of their own', async () => {
    @CacheConfig({ manager })
    class Service {
      @Cacheable()
      async find(): Promise<string> {
        return 'instance'
      }

      @Cacheable()
      static async find(): Promise<string> {
        return 'static'
      }
    }
    class Derived extends Service {}

    expect(await Derived.find()).toBe('static')
    expect(await new Derived().find()).toBe('instance')
    expect(await Service.find()).toBe('static')
    expect(names()).toEqual(['Derived.static.find', 'Derived.find', 'Service.static.find'])
  })

  it('symbols of one description have entries of their own once the caches are named', async () => {
    const one = Symbol('find')
    const other = Symbol('find')
    @CacheConfig({ manager })
    class Service {
      @Cacheable()
      async [one](): Promise<number> {
        return 1
      }

      @Cacheable()
      async [other](): Promise<number> {
        return 2
      }
    }
    const service = new Service()

    expect(await service[one]()).toBe(1)
    await expect(service[other]()).rejects.toThrow(/@Cacheable\(Service\.\[find\]\)\.cache/)
    expect(names()).toEqual([expect.stringMatching(/^Service\._find_-[0-9a-f]{12}$/)])
  })

  it('names that no cache can have are made fit, without meeting', async () => {
    @CacheConfig({ manager })
    class $Übersicht {
      @Cacheable()
      async 'a b'(): Promise<number> {
        return 1
      }

      @Cacheable()
      async 'a/b'(): Promise<number> {
        return 2
      }

      @Cacheable()
      async aMethodWithANameThatIsLongerThanTheNameOfAnyCacheMayEverBe(): Promise<number> {
        return 3
      }
    }
    const service = new $Übersicht()
    await service['a b']()
    await service['a/b']()
    await service.aMethodWithANameThatIsLongerThanTheNameOfAnyCacheMayEverBe()

    expect(new Set(names()).size).toBe(3)
    for (const name of names()) expect(name).toMatch(/^[A-Za-z0-9_.-]{1,64}$/)
  })

  it('a class without a name must name its cache', async () => {
    @CacheConfig({ manager })
    class Service {
      @Cacheable()
      async find(): Promise<number> {
        return 1
      }

      @Cacheable({ cache: 'named' })
      async named(): Promise<number> {
        return 2
      }
    }
    Object.defineProperty(Service, 'name', { value: '' })

    await expect(new Service().find()).rejects.toThrow(/because the class has no name/)
    expect(await new Service().named()).toBe(2)
  })

  it('several decorators on one unnamed method do not get in each other’s way', async () => {
    @CacheConfig({ manager })
    class Service {
      @CacheEvict({ tags: ['a'] })
      @CacheEvict({ tags: ['b'] })
      @Cacheable()
      async find(): Promise<number> {
        return 1
      }
    }

    expect(await new Service().find()).toBe(1)
    expect(provider.asked.flatMap(({ evict }) => evict?.tags ?? [])).toEqual(['b', 'a'])
  })

  it('default keys in a named cache cannot be written by a key function', async () => {
    @CacheConfig({ manager, cache: 'shared' })
    class Service {
      @Cacheable()
      async byArguments(id: string): Promise<string> {
        return `default ${id}`
      }

      @Cacheable({ key: (text: string) => text })
      async byKey(text: string): Promise<string> {
        return `key ${text}`
      }
    }
    const service = new Service()
    await service.byArguments('1')
    const [stored] = [...provider.values.keys()]
    const key = stored?.slice('shared:'.length) ?? ''

    expect(await service.byKey(key)).toBe(`key ${key}`)
    expect(await service.byArguments('1')).toBe('default 1')
  })
})
