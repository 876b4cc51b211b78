/** The service under show: plain methods over a database, with decorators for everything else. */

import { Cacheable, CacheConfig, CacheEvict } from '@larder/core'
import type { Database, Product } from './database.ts'

/** Rank among the shop's products by price and average stars: it reads the whole shop for every product asked for. */
const FIND = `
  select p.*, (
    select count(*)::int from products o
    where o.shop = p.shop and o.price * (1 + (select avg(stars) from reviews r where r.product = o.id)) < p.price * 4
  ) as rank, (select avg(stars)::float from reviews r where r.product = p.id) as stars
  from products p where p.id = any($1)
`

@CacheConfig({ cache: 'products' })
export class ProductService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  @Cacheable({
    key: (id: number) => id,
    tags: (found: Product | undefined) => (found === undefined ? [] : [`shop:${found.shop}`]),
  })
  async find(id: number): Promise<Product | undefined> {
    const [found] = await this.#database.query<Product>(FIND, [[id]])
    return found
  }

  /** The same entries, many at once: the query sees only the ids that are missing. */
  @Cacheable({
    each: { key: (id: number) => id, by: (found: Product) => found.id },
    tags: (found: Product) => [`shop:${found.shop}`],
  })
  async findMany(ids: number[]): Promise<Product[]> {
    return this.#database.query<Product>(FIND, [ids])
  }

  /** The same without a cache, to compare with. */
  async findUncached(id: number): Promise<Product | undefined> {
    const [found] = await this.#database.query<Product>(FIND, [[id]])
    return found
  }

  @CacheEvict({ key: (id: number) => id })
  async reprice(id: number, price: number): Promise<void> {
    await this.#database.query(
      'update products set price = $2, changed = changed + 1 where id = $1',
      [id, price],
    )
  }

  @CacheEvict({ tags: (_: unknown, shop: number) => [`shop:${shop}`] })
  async saleOf(shop: number): Promise<void> {
    await this.#database.query(
      'update products set price = price * 9 / 10, changed = changed + 1 where shop = $1',
      [shop],
    )
  }
}
