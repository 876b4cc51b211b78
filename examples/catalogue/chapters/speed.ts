/** How much faster a cached method is, and that many callers cause one load. */

import { setImmediate } from 'node:timers/promises'
import type { CacheManager } from '@larder/core'
import type { ProductService } from '../product-service.ts'
import { chapter, line, ms } from '../report.ts'

type Rows = (readonly [string, string])[]

const SAMPLE = 20
const HITS = 20_000
const CALLERS = 1_000

export async function showSpeed(products: ProductService): Promise<Rows> {
  chapter('The same query without and with the cache')
  const ids = Array.from({ length: SAMPLE }, (_, i) => 1 + i * 37)
  const without = await time(async () => {
    for (const id of ids) await products.findUncached(id)
  })
  await products.findMany(ids)
  // Loads are handed out before they are stored: let that finish, so that hits are what is timed.
  await setImmediate()
  const withCache = await time(async () => {
    for (let i = 0; i < HITS; i++) await products.find(ids[i % SAMPLE] ?? 1)
  })
  const each = { without: without / SAMPLE, with: withCache / HITS }
  line(`${ms(each.without)} a call without, ${ms(each.with)} with: a hit`)
  return [
    ['query without cache', ms(each.without)],
    ['cached call (hit)', ms(each.with)],
    ['ratio', `${Math.round(each.without / each.with).toLocaleString('en')} ×`],
  ]
}

export async function showStampede(products: ProductService, caches: CacheManager): Promise<Rows> {
  chapter(
    `${CALLERS.toLocaleString('en')} callers at once ask for a product nobody has asked for yet`,
  )
  const before = caches.stats().loads
  const took = await time(async () => {
    await Promise.all(Array.from({ length: CALLERS }, () => products.find(9_999)))
  })
  const loads = caches.stats().loads - before
  line(`${loads} load, all ${CALLERS} answered after ${ms(took)}`)
  return [[`loads for ${CALLERS} concurrent callers`, `${loads}`]]
}

async function time(work: () => Promise<void>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}
