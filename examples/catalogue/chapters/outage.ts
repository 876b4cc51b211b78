/** The shared tier is stopped and started while both nodes read and one writes: no error, and nothing older than promised. */

import { setTimeout as delay } from 'node:timers/promises'
import { MAX_STALENESS_MS } from '../caches.ts'
import type { Peer } from '../peer.ts'
import type { ProductService } from '../product-service.ts'
import { chapter, line, ms, progress } from '../report.ts'
import type { Stoppable } from '../stage.ts'
import { stalestRead, type Watched, watchProduct } from '../watch.ts'

type Rows = (readonly [string, string])[]

const PRODUCT = 4_242
const WRITES = 60
const BETWEEN_WRITES_MS = 150
/** It is away between these writes. */
const STOP_AT = 15
const START_AT = 40
/** A read that began just before a write's eviction, on a machine that is busy. */
const ROOM_MS = 250

export interface OutageParts {
  readonly products: ProductService
  readonly nodeB: Peer
  readonly watchedByB: Promise<Watched>
  readonly shared: Stoppable
}

/** Returns the rows, and whether everything promised held. */
export async function showOutage(parts: OutageParts): Promise<{ rows: Rows; held: boolean }> {
  const { products, nodeB, shared } = parts
  chapter('The shared tier is stopped and started while A writes and both nodes read')
  let changed = (await products.find(PRODUCT))?.changed ?? 0
  const onA = watchProduct(products, PRODUCT)
  await nodeB.ask('watch', PRODUCT)
  const replacedAt = new Map<number, number>()
  for (let i = 0; i < WRITES; i++) {
    if (i === STOP_AT) await shared.stop()
    if (i === START_AT) await shared.start()
    await products.reprice(PRODUCT, 100 + i)
    replacedAt.set(changed, performance.timeOrigin + performance.now())
    changed += 1
    progress(i >= STOP_AT && i < START_AT ? 'it is away ' : 'it is there', (i + 1) / WRITES)
    await delay(BETWEEN_WRITES_MS)
  }
  await delay(MAX_STALENESS_MS)
  onA.stop()
  await nodeB.ask('stopWatching')
  const [a, b] = await Promise.all([onA.done, parts.watchedByB])

  const errors = [...a.errors, ...b.errors]
  const oldest = { a: stalestRead(a, replacedAt), b: stalestRead(b, replacedAt) }
  line(
    `${(a.reads + b.reads).toLocaleString('en')} reads, ${errors.length} errors, slowest ${ms(Math.max(a.slowestMs, b.slowestMs))}`,
  )
  line(
    `oldest value read after it was replaced: on A ${ms(oldest.a)}, on B ${ms(oldest.b)} (promised: 0 and ${MAX_STALENESS_MS} ms)`,
  )
  const rows: Rows = [
    ['reads during the outage run', (a.reads + b.reads).toLocaleString('en')],
    ['errors', `${errors.length}`],
    ['stale reads on A, which evicted', oldest.a === 0 ? 'none' : `up to ${ms(oldest.a)}`],
    ['oldest stale read on B', `${ms(oldest.b)} (bound ${MAX_STALENESS_MS} ms)`],
  ]
  return {
    rows,
    held: errors.length === 0 && oldest.a === 0 && oldest.b <= MAX_STALENESS_MS + ROOM_MS,
  }
}
