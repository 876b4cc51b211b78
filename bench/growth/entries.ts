/** What does a local hit cost when many entries are held, next to lru-cache with as many? */

import { LRUCache } from 'lru-cache'
import { randomFrom } from '../../test/support/seed.ts'
import { type Contestant, compare } from '../harness.ts'
import { type User, userOf } from '../peers.ts'
import { findOn, type Growth, idsOf, managerFor, pointsOf } from './kit.ts'

const HOUR_MS = 3_600_000
const READS_IN_ORDER = 2 ** 18

export async function byEntries(
  counts: readonly number[],
  operations: number,
  rounds: number,
): Promise<Growth> {
  const user = userOf('u1')
  const ids = idsOf(Math.max(...counts))
  const contestants: Contestant[] = []
  const closing: (() => Promise<void>)[] = []
  for (const count of counts) {
    // At random, over all of them: a reader that walks in the order of filling would find its neighbour in the cache line.
    const random = randomFrom(1)
    const order = Array.from({ length: READS_IN_ORDER }, () => ids[random.int(count)] ?? '')
    const caches = managerFor(`bench-entries-${count}`, { local: count })
    const find = findOn(caches, [], user)
    const lru = new LRUCache<string, User>({ max: count, ttl: HOUR_MS })
    for (const id of ids.slice(0, count)) {
      lru.set(`users:${id}`, user)
      await find(id)
    }
    const loads = caches.stats().loads
    closing.push(async () => {
      if (caches.stats().loads !== loads) throw new Error('Some reads were loads, and no hits')
      await caches.close()
    })
    const floor = async (id: string): Promise<User | undefined> => lru.get(`users:${id}`)
    contestants.push(
      contestant(`lru-cache: ${named(count)} entries`, floor, order, operations),
      contestant(`Larder: ${named(count)} entries`, find, order, operations),
    )
  }
  const timed = await compare(contestants, rounds)
  for (const close of closing) await close()
  return {
    id: 'growth-entries',
    title: 'Time of a local hit at random, by entries held',
    points: pointsOf(timed),
  }
}

function contestant(
  name: string,
  read: (id: string) => Promise<unknown>,
  order: readonly string[],
  operations: number,
): Contestant {
  let at = 0
  return {
    name,
    round: async () => {
      for (let i = 0; i < operations; i++) {
        at = (at + 1) % READS_IN_ORDER
        await read(order[at] ?? '')
      }
      return operations
    },
  }
}

function named(count: number): string {
  return count.toLocaleString('en')
}
