/** Messages to node B are lost, and B is not told: how long it serves what A has evicted. */

import { setTimeout as delay } from 'node:timers/promises'
import { MAX_STALENESS_MS } from '../caches.ts'
import type { Product } from '../database.ts'
import type { Peer } from '../peer.ts'
import type { ProductService } from '../product-service.ts'
import { chapter, line, ms } from '../report.ts'

type Rows = (readonly [string, string])[]

const PRODUCT = 77
/** A machine that is busy. */
const ROOM_MS = 250

/** Returns the rows, and whether what is promised held. */
export async function showLostMessages(
  products: ProductService,
  nodeB: Peer,
  loseMessages: () => () => void,
): Promise<{ rows: Rows; held: boolean }> {
  chapter('A new price on node A, and the message to node B is lost')
  const before = await nodeB.ask<Product>('find', PRODUCT)
  const endLoss = loseMessages()
  await products.reprice(PRODUCT, before.price + 1)
  const from = performance.now()
  const still = await nodeB.ask<Product>('find', PRODUCT)
  await nodeB.ask('untilChanged', PRODUCT, before.changed)
  const seenAfter = performance.now() - from
  endLoss()
  // What follows begins with both nodes well.
  await delay(MAX_STALENESS_MS)
  line(
    `right after the eviction, B had ${still.price === before.price ? 'the old' : 'the new'} price`,
  )
  line(
    `B compared its numbers with the store's and had the new one after ${ms(seenAfter)} (promised: ${MAX_STALENESS_MS} ms)`,
  )
  return {
    rows: [
      ['message lost, new value read on B', `${ms(seenAfter)} (bound ${MAX_STALENESS_MS} ms)`],
    ],
    held: seenAfter <= MAX_STALENESS_MS + ROOM_MS,
  }
}
