/**
 * The demo: a catalogue service over a real database gets fast and stays true.
 *
 * In one process by default. With `redis-server` (or `valkey-server`) on PATH, or `REDIS_URL`, two processes share a Redis;
 * the outage chapter needs a Redis that it may stop, so only one of its own.
 */

import { fork } from 'node:child_process'
import { createCaches } from './caches.ts'
import { showEviction, showRemoteEviction } from './chapters/eviction.ts'
import { showOutage } from './chapters/outage.ts'
import { showSpeed, showStampede } from './chapters/speed.ts'
import { type Database, openDatabase } from './database.ts'
import { type OwnRedis, startOwnRedis } from './own-redis.ts'
import { connectPeer, type Peer } from './peer.ts'
import { ProductService } from './product-service.ts'
import { heading, line, progress, table } from './report.ts'
import type { Watched } from './watch.ts'

const givenUrl = process.env['REDIS_URL']
const redis = givenUrl === undefined || givenUrl === '' ? await startOwnRedis() : undefined
const url = redis?.url ?? (givenUrl === '' ? undefined : givenUrl)

heading('A catalogue of 10,000 products on PostgreSQL')
line(
  url === undefined ? 'One process, no Redis found: in-process cache' : 'Two processes and a Redis',
)
const { database, close } = await openDatabase((share) => progress('filling the database', share))
const caches = createCaches(url)
const products = new ProductService(database)

const rows = [...(await showSpeed(products)), ...(await showStampede(products, caches))]
let held = true
if (url === undefined) {
  rows.push(...(await showEviction(products)))
  line('Put redis-server on PATH, or set REDIS_URL, to see two nodes and an outage.')
} else {
  held = await showTwoNodes(url)
}
heading('In short')
table(rows)
await caches.close()
await close()
await redis?.stop()
if (!held) {
  line('Something promised did not hold.')
  process.exitCode = 1
}

async function showTwoNodes(redisUrl: string): Promise<boolean> {
  const { nodeB, watchedByB } = await startNodeB(redisUrl, database)
  rows.push(...(await showRemoteEviction(products, nodeB)))
  let allHeld = true
  if (redis === undefined)
    line('The outage chapter stops Redis, so it needs redis-server on PATH and no REDIS_URL.')
  else allHeld = await showOutageOf(redis, nodeB, watchedByB)
  await nodeB.ask('close')
  return allHeld
}

async function showOutageOf(
  own: OwnRedis,
  nodeB: Peer,
  watchedByB: Promise<Watched>,
): Promise<boolean> {
  const outage = await showOutage({ products, nodeB, watchedByB, redis: own })
  rows.push(...outage.rows)
  return outage.held
}

/** Starts the second node; its database is this process's. */
async function startNodeB(
  redisUrl: string,
  shared: Database,
): Promise<{ nodeB: Peer; watchedByB: Promise<Watched> }> {
  const child = fork(new URL('node-b.ts', import.meta.url), {
    execArgv: process.execArgv,
    env: { ...process.env, CATALOGUE_REDIS: redisUrl },
    serialization: 'advanced',
  })
  process.on('exit', () => child.kill('SIGKILL'))
  let report!: (watched: Watched) => void
  const watchedByB = new Promise<Watched>((resolve) => {
    report = resolve
  })
  const nodeB = await new Promise<Peer>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`Node B ended with ${code}`)))
    const peer: Peer = connectPeer(child, {
      ready: async () => resolve(peer),
      query: (sql: string, params: readonly unknown[]) => shared.query(sql, params),
      watched: async (watched: Watched) => report(watched),
    })
  })
  return { nodeB, watchedByB }
}
