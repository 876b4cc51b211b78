/** One generic base repository, two entities: what is inherited belongs to the class it is called on. */

import { Cacheable, CacheConfig, CacheEvict, cached, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'

interface Entity {
  readonly id: string
}

interface User extends Entity {
  readonly name: string
}

interface Invoice extends Entity {
  readonly total: number
}

abstract class BaseRepository<T extends Entity> {
  loads = 0
  protected abstract readonly rows: Map<string, T>

  @Cacheable({ key: (id: string) => id, ttl: '10m' })
  async find(id: string): Promise<T | undefined> {
    this.loads += 1
    return this.rows.get(id)
  }

  @CacheEvict({ key: (row: Entity) => row.id })
  async save(row: T): Promise<T> {
    this.rows.set(row.id, row)
    return row
  }
}

@CacheConfig({ cache: 'users' })
class UserRepository extends BaseRepository<User> {
  protected readonly rows = new Map([['1', { id: '1', name: 'Ada' }]])
}

@CacheConfig({ cache: 'invoices' })
class InvoiceRepository extends BaseRepository<Invoice> {
  protected readonly rows = new Map([['1', { id: '1', total: 120 }]])
}

await using _caches = createCacheManager({ namespace: 'base-repository', local: lruStore() })
const users = new UserRepository()
const invoices = new InvoiceRepository()

console.log(await users.find('1'), await invoices.find('1'))
await users.save({ id: '1', name: 'Grace' })
console.log(await users.find('1'), await invoices.find('1'))
console.log(`loaded: ${users.loads} users, ${invoices.loads} invoice`)
console.log(cached(users, 'find').key('1'), cached(invoices, 'find').key('1'))
