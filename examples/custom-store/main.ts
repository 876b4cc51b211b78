/** Two nodes that share a PostgreSQL instead of a Redis: the same decorators, the same guarantees. */

import { setTimeout as delay } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { postgresStore } from './postgres-store.ts'

const postgres = await PGlite.create()
const startNode = () =>
  createCacheManager({
    namespace: 'shop',
    local: lruStore(),
    remote: postgresStore(postgres),
    storeTimeout: '2s',
    default: false,
  })
const [a, b] = [startNode(), startNode()]
const [onA, onB] = [a.cache<string>('greetings'), b.cache<string>('greetings')]

let loads = 0
const load = async (): Promise<string> => {
  loads += 1
  await delay(50)
  return `hello ${loads}`
}
const values = await Promise.all([
  onA.getOrLoad('k', load),
  onB.getOrLoad('k', load),
  onB.getOrLoad('k', load),
])
console.log(`three callers on two nodes: ${[...new Set(values)].join(', ')}, ${loads} load`)

await onA.evict('k')
while ((await onB.get('k')) !== undefined) await delay(5)
console.log(`evicted on A, gone on B; loaded anew: ${await onB.getOrLoad('k', load)}`)

await a.close()
await b.close()
await postgres.close()
