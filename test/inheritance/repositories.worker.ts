/** A process with a generic base repository over three tables; the rows themselves are in Redis, for all processes. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  type CacheManager,
  CachePut,
  createCacheManager,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'

export interface Row {
  readonly id: string
  readonly table: string
  readonly text: string
}

const state: { caches?: CacheManager; source?: Redis; namespace: string } = { namespace: '' }

async function rowOf(table: string, id: string): Promise<Row> {
  await state.source?.incr(`${state.namespace}:loads`)
  const text = (await state.source?.get(`${state.namespace}:${table}:${id}`)) ?? ''
  return { id, table, text }
}

async function write(table: string, id: string, text: string): Promise<void> {
  await state.source?.set(`${state.namespace}:${table}:${id}`, text, 'EX', 600)
}

let mode = ''
/** Tells which kind of decorators this process was compiled with. */
function probe(...given: readonly unknown[]): void {
  mode = given.length === 3 ? 'legacy' : 'standard'
}

abstract class Repository<T extends Row> {
  protected abstract readonly table: string

  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<T> {
    return (await rowOf(this.table, id)) as T
  }

  @probe
  @Cacheable()
  async findByDefault(id: string): Promise<T> {
    return (await rowOf(this.table, id)) as T
  }

  @Cacheable({ each: { key: (id: string) => id, by: (row: Row) => row.id } })
  async findMany(ids: readonly string[]): Promise<T[]> {
    return (await Promise.all(ids.map((id) => rowOf(this.table, id)))) as T[]
  }

  @Cacheable({ key: (id: string) => `described ${id}` })
  async describe(id: string): Promise<string> {
    return `${this.table} ${id}`
  }

  @CacheEvict({ key: (id: string) => id })
  async change(id: string, text: string): Promise<void> {
    await write(this.table, id, text)
  }

  @CachePut({ key: (id: string) => id })
  async save(id: string, text: string): Promise<T> {
    await write(this.table, id, text)
    return { id, table: this.table, text } as T
  }

  static readonly tableOfAll: string = ''

  @Cacheable({ key: (id: string) => `of all ${id}` })
  static async findOfAll(id: string): Promise<Row> {
    // biome-ignore lint/complexity/noThisInStatic: the class it is called on is what this is about.
    return rowOf(this.tableOfAll, id)
  }
}

@CacheConfig({ cache: 'users' })
class Users extends Repository<Row> {
  protected readonly table = 'users'
  static override readonly tableOfAll = 'users'
}

@CacheConfig({ cache: 'invoices', ttl: '2h' })
class Invoices extends Repository<Row> {
  protected readonly table = 'invoices'
  static override readonly tableOfAll = 'invoices'

  override async describe(id: string): Promise<string> {
    return `invoice: ${await super.describe(id)}`
  }
}

@CacheConfig({ cache: 'orders' })
class Orders extends Repository<Row> {
  protected readonly table = 'orders'
  static override readonly tableOfAll = 'orders'

  @Cacheable({ key: (id: string) => `described at length ${id}` })
  override async describe(id: string): Promise<string> {
    return `order: ${await super.describe(id)}`
  }
}

const repositories = { users: new Users(), invoices: new Invoices(), orders: new Orders() }
const classes = { users: Users, invoices: Invoices, orders: Orders }

export type Table = keyof typeof repositories

export interface RepositoriesInit {
  readonly url: string
  readonly namespace: string
}

async function start({ url, namespace }: RepositoriesInit): Promise<void> {
  state.namespace = namespace
  state.source = new Redis(url)
  state.caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore({ url }),
    storeTimeout: '2s',
    defaults: { ttl: '1h', jitter: 0 },
  })
  await state.caches.ready({ timeout: '20s' })
}

/** Everything that reads a row, by every method there is. */
async function readAll(table: Table, id: string): Promise<readonly Row[]> {
  const repository = repositories[table]
  const [many] = await repository.findMany([id])
  return [
    await repository.find(id),
    await repository.findByDefault(id),
    ...(many === undefined ? [] : [many]),
    await classes[table].findOfAll(id),
  ]
}

export const worker = {
  start,
  readAll,
  mode: (): string => mode,
  find: (table: Table, id: string): Promise<Row> => repositories[table].find(id),
  describe: (table: Table, id: string): Promise<string> => repositories[table].describe(id),
  change: (table: Table, id: string, text: string): Promise<void> =>
    repositories[table].change(id, text),
  save: (table: Table, id: string, text: string): Promise<Row> =>
    repositories[table].save(id, text),
  loads: async (): Promise<number> => Number(await state.source?.get(`${state.namespace}:loads`)),
  async stop(): Promise<void> {
    await state.caches?.close()
    state.source?.disconnect()
  },
}
