/** How many bytes of heap does a hit allocate, which the garbage collector has to find again? */

import { GCProfiler } from 'node:v8'
import { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { findOn, idsOf, managerFor, readAll } from '../growth/kit.ts'
import { type User, userOf } from '../peers.ts'

export interface Allocation {
  readonly name: string
  readonly bytesPerOperation: number
}

const KEYS = 1_000
const CALLERS = 64
const WARM_UP = 10_000

export async function allocation(url: string, operations: number): Promise<readonly Allocation[]> {
  const ids = idsOf(KEYS)
  const id = (index: number): string => ids[index % KEYS] ?? ''
  await using local = managerFor('bench-allocation', { local: KEYS })
  await using remote = managerFor('bench-allocation', { url })
  const client = new Redis(url)
  const [findLocal, findRemote] = [findOn(local), findOn(remote)]
  const lru = new LRUCache<string, User>({ max: KEYS, ttl: 3_600_000 })
  const floor = async (key: string): Promise<User | undefined> => lru.get(`users:${key}`)
  for (const each of ids) {
    lru.set(`users:${each}`, userOf(each))
    await client.set(`plain:${each}`, JSON.stringify(userOf(each)))
    await Promise.all([findLocal(each), findRemote(each)])
  }
  const plain = async (key: string): Promise<unknown> =>
    JSON.parse((await client.get(`plain:${key}`)) ?? '')
  const fewer = operations / 10
  const rows = [
    await allocated('lru-cache get in an async function', (i) => floor(id(i)), operations, 1),
    await allocated('Larder: local hit', (i) => findLocal(id(i)), operations, 1),
    await allocated(`plain ioredis, ${CALLERS} callers`, (i) => plain(id(i)), fewer, CALLERS),
    await allocated(
      `Larder: remote hit, ${CALLERS} callers`,
      (i) => findRemote(id(i)),
      fewer,
      CALLERS,
    ),
    await allocated('plain ioredis, 1 caller', (i) => plain(id(i)), fewer, 1),
    await allocated('Larder: remote hit, 1 caller', (i) => findRemote(id(i)), fewer, 1),
  ]
  client.disconnect()
  return rows
}

async function allocated(
  name: string,
  read: (index: number) => Promise<unknown>,
  operations: number,
  callers: number,
): Promise<Allocation> {
  await readAll(read, WARM_UP, callers)
  const profiler = new GCProfiler()
  profiler.start()
  const first = process.memoryUsage().heapUsed
  const count = await readAll(read, operations, callers)
  const last = process.memoryUsage().heapUsed
  // What lies between collections was allocated; what a collection took away was, too.
  const collected = profiler
    .stop()
    .statistics.reduce(
      (sum, { beforeGC, afterGC }) =>
        sum + beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize,
      0,
    )
  return { name, bytesPerOperation: (last - first + collected) / count }
}
