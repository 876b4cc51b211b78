/** A tag evicted on node A is seen on node B. */

import type { Product } from '../database.ts'
import type { Peer } from '../peer.ts'
import type { ProductService } from '../product-service.ts'
import { chapter, line, ms } from '../report.ts'

type Rows = (readonly [string, string])[]

const SHOP = 7
const PRODUCT = 27

/** Shows how long node B goes on serving the old value. */
export async function showEviction(products: ProductService, nodeB: Peer): Promise<Rows> {
  chapter('A sale on node A evicts one tag; node B has the old prices in its memory')
  const before = await nodeB.ask<Product>('find', PRODUCT)
  await nodeB.ask('find', PRODUCT)
  const untilSeen = nodeB.ask<number>('untilChanged', PRODUCT, before.changed)
  const from = performance.now()
  await products.saleOf(SHOP)
  const returnedAfter = performance.now() - from
  await untilSeen
  const seenAfter = performance.now() - from
  const after = await nodeB.ask<Product>('find', PRODUCT)
  line(`price on B before ${before.price}, after ${after.price}`)
  line(
    `A's call took ${ms(returnedAfter)} with its query; B read the new price ${ms(seenAfter)} after it began`,
  )
  return [['tag evicted on A, new value read on B', ms(seenAfter)]]
}
