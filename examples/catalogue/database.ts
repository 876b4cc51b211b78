/** The catalogue's database: a real PostgreSQL in a package, with generated products and reviews. */

import { PGlite } from '@electric-sql/pglite'

/** What the service needs of a database, here or in another process. */
export interface Database {
  query<Row>(sql: string, params?: readonly unknown[]): Promise<Row[]>
}

const PRODUCTS = 10_000
const REVIEWS_PER_PRODUCT = 4
const BATCH = 2_000

const SCHEMA = `
  create table products (
    id int primary key, name text not null, shop int not null, price int not null, changed int not null default 0
  );
  create table reviews (product int not null references products, stars int not null);
  create index on products (shop);
  create index on reviews (product);
`

/** A product as the service returns it. `changed` counts its updates, so that a stale read can be recognised. */
export interface Product {
  readonly id: number
  readonly name: string
  readonly shop: number
  readonly price: number
  readonly changed: number
  /** How its price compares with its shop's: a query that costs. */
  readonly rank: number
  readonly stars: number
}

/** Creates and fills the database; `onProgress` is told the share done. */
export async function openDatabase(
  onProgress: (share: number) => void,
): Promise<{ readonly database: Database; close(): Promise<void> }> {
  const postgres = await PGlite.create()
  await postgres.exec(SCHEMA)
  for (let from = 1; from <= PRODUCTS; from += BATCH) {
    const to = from + BATCH - 1
    await postgres.exec(`
      insert into products select n, 'Product ' || n, n % 20, 100 + (n * 7919) % 9900 from generate_series(${from}, ${to}) n;
      insert into reviews select n, 1 + (n * m) % 5
        from generate_series(${from}, ${to}) n, generate_series(1, ${REVIEWS_PER_PRODUCT}) m;
    `)
    onProgress(to / PRODUCTS)
  }
  await postgres.exec('analyze')
  const database: Database = {
    query: async <Row>(sql: string, params: readonly unknown[] = []) => {
      const { rows } = await postgres.query<Row>(sql, [...params])
      return rows
    },
  }
  return { database, close: () => postgres.close() }
}
