/**
 * The demo: a catalogue service over a real database gets fast and stays true, on two nodes.
 *
 * With `redis-server` (or `valkey-server`) on PATH, or `REDIS_URL`, two processes share a Redis; the outage chapter needs a
 * Redis that it may stop, so only one of its own. Without, both nodes are in this process, over a server in memory.
 */

import { showEviction } from './chapters/eviction.ts'
import { showLostMessages } from './chapters/lost-messages.ts'
import { showOutage } from './chapters/outage.ts'
import { showSpeed, showStampede } from './chapters/speed.ts'
import { openDatabase } from './database.ts'
import { startMemoryStage } from './memory-stage.ts'
import { startOwnRedis } from './own-redis.ts'
import { startProcessStage } from './process-stage.ts'
import { ProductService } from './product-service.ts'
import { heading, line, progress, table } from './report.ts'

const givenUrl = process.env['REDIS_URL'] || undefined
const own = givenUrl === undefined ? await startOwnRedis() : undefined
const url = own?.url ?? givenUrl

heading('A catalogue of 10,000 products on PostgreSQL')
const { database, close } = await openDatabase((share) => progress('filling the database', share))
const stage =
  url === undefined ? startMemoryStage(database) : await startProcessStage(url, own, database)
line(stage.about)
const products = new ProductService(database)

const rows = [
  ...(await showSpeed(products)),
  ...(await showStampede(products, stage.caches)),
  ...(await showEviction(products, stage.nodeB)),
]
let hasHeld = true
if (stage.loseMessages !== undefined) {
  const lost = await showLostMessages(products, stage.nodeB, stage.loseMessages)
  rows.push(...lost.rows)
  hasHeld &&= lost.held
}
if (stage.shared === undefined)
  line('The outage chapter stops Redis, so it needs redis-server on PATH and no REDIS_URL.')
else {
  const { nodeB, watchedByB, shared } = stage
  const outage = await showOutage({ products, nodeB, watchedByB, shared })
  rows.push(...outage.rows)
  hasHeld &&= outage.held
}
heading('In short')
table(rows)
if (url === undefined)
  line('Put redis-server on PATH, or set REDIS_URL, to see the same on two processes and a Redis.')
await stage.close()
await close()
if (!hasHeld) {
  line('Something promised did not hold.')
  process.exitCode = 1
}
