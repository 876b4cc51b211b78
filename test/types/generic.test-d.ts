/** Classes with type parameters, in both decorator modes. Compiled, never run. */

import {
  Cacheable,
  CacheEvict,
  CachePut,
  cached,
  type Duration,
  RateLimited,
  WithLock,
} from '@larder/core'

interface Entity {
  readonly id: string
  readonly version: number
}

export abstract class Repo<T extends Entity, Id extends string> {
  @Cacheable({ key: (id: string) => id })
  async find(_id: Id): Promise<T | undefined> {
    return undefined
  }

  @Cacheable({
    key: (id: string, locale: string) => [id, locale],
    tags: (found: Entity | undefined, id: string) => [found?.id ?? id],
    ttl: (found: Entity | undefined): Duration => (found === undefined ? '1s' : '5m'),
    unless: (found: Entity | undefined, _id: string, locale: string) => found?.id === locale,
    condition: (id: string) => id !== '',
  })
  async findLocalised(_id: Id, _locale: string): Promise<T | undefined> {
    return undefined
  }

  @Cacheable()
  async byDefault(_id: Id): Promise<T | undefined> {
    return undefined
  }

  @Cacheable({ key: '{0}' })
  static async byTemplate<Id extends string>(_id: Id): Promise<Id | undefined> {
    return undefined
  }

  @Cacheable({ each: { key: (id: string) => id, by: (row: Entity) => row.id } })
  async findMany(_ids: readonly Id[]): Promise<T[]> {
    return []
  }

  @Cacheable({
    each: { key: (id: string) => id },
    tags: (row: Entity | null, id: string) => [row?.id ?? id],
  })
  async findAll(_ids: Id[]): Promise<(T | null)[]> {
    return []
  }

  @CachePut({ key: (row: Entity) => row.id, tags: (_saved: Entity, row: Entity) => [row.id] })
  async save(row: T): Promise<T> {
    return row
  }

  @CachePut({ keyOf: (saved: Entity) => saved.id })
  async create(row: T): Promise<T> {
    return row
  }

  @CachePut({ key: (row: T) => row.id })
  async saveByParameter(row: T): Promise<T> {
    return row
  }

  @CacheEvict({ key: (id: string) => id, tags: (_: unknown, id: string) => [id] })
  async remove(_id: Id): Promise<void> {}

  @CacheEvict({
    keys: (ids: readonly string[]) => ids,
    condition: (ids: readonly string[]) => ids.length > 0,
  })
  async removeMany(_ids: readonly Id[]): Promise<void> {}

  @CacheEvict({ cache: 'rows', keyOf: (removed: Entity) => removed.id })
  async take(_id: Id): Promise<T> {
    throw new Error()
  }

  @CacheEvict({ when: 'before', cache: 'rows', key: (row: Entity) => row.id })
  async drop(_row: T): Promise<void> {}

  @RateLimited({ key: (id: string) => id, limit: 1, per: '1s', cost: (id: string) => id.length })
  async limited(_id: Id): Promise<T | undefined> {
    return undefined
  }

  @RateLimited({ key: (id: string) => id, limit: 1, per: '1s', onLimit: 'skip' })
  async skipped(_id: Id): Promise<T | undefined> {
    return undefined
  }

  @WithLock({ key: (row: Entity) => row.id })
  async locked(row: T): Promise<T> {
    return row
  }

  @Cacheable({ key: (filter: Partial<Entity>) => filter.id ?? 'all' })
  async search(_filter: Partial<T>): Promise<T[]> {
    return []
  }

  @Cacheable({ key: (field: string) => field })
  async by<Field extends keyof T & string>(
    _field: Field,
    _value: T[Field],
  ): Promise<T | undefined> {
    return undefined
  }

  // @ts-expect-error: the key function takes a number where the method takes a kind of string.
  @Cacheable({ key: (id: number) => id })
  async wrongKey(_id: Id): Promise<T | undefined> {
    return undefined
  }

  // @ts-expect-error: a T need not have what the key is made of.
  @CachePut({ key: (row: Entity & { readonly slug: string }) => row.slug })
  async wrongRow(row: T): Promise<T> {
    return row
  }

  // @ts-expect-error: the method may be called without the id that the key is made of.
  @Cacheable({ key: (id: string) => id })
  async optional(_id?: Id): Promise<T | undefined> {
    return undefined
  }

  // @ts-expect-error: the method may return undefined.
  @Cacheable({ tags: (found: Entity) => [found.id] })
  async maybe(_id: Id): Promise<T | undefined> {
    return undefined
  }

  // @ts-expect-error: the list holds strings.
  @Cacheable({ each: { key: (id: number) => id } })
  async wrongEach(_ids: Id[]): Promise<T[]> {
    return []
  }

  async changed(id: Id): Promise<void> {
    await cached(this, 'find').evict(id)
    const found: T | undefined = await cached(this, 'find').peek(id)
    await cached(this, this.hidden).evict('1')
    await cached(this, 'find').set([id], found)
    // @ts-expect-error: the method takes an Id.
    await cached(this, 'find').evict(1)
    // @ts-expect-error: there is no such method.
    cached(this, 'nothing')
  }

  @Cacheable({ key: (id: string) => id })
  private async hidden(id: string): Promise<string> {
    return id
  }
}

export class Users extends Repo<Entity, 'a' | 'b'> {
  async use(): Promise<Entity | undefined> {
    await cached(this, 'find').evict('a')
    // @ts-expect-error: no such id.
    await cached(this, 'find').evict('c')
    return this.find('a')
  }
}
