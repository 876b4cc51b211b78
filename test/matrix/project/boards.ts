/** A leaderboard, a counter and a count of visitors, in the process and in Redis. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from 'node:assert'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import {
  type Counter,
  createCounter,
  createLeaderboard,
  createUniques,
  type Place,
} from '@larder/plugins/boards'
import { redisBoards, redisStore } from '@larder/redis-store'

async function check(caches: CacheManager): Promise<void> {
  const board = createLeaderboard(caches, { name: 'weekly', per: 'week', periods: 2 })
  await board.submitMany([
    ['ada', 120],
    ['bob', 90],
    ['cy', 120],
  ])
  const places: readonly Place[] = await board.top(2, { kind: 'dense', merge: 2 })
  deepEqual(places, [
    { member: 'ada', score: 120, rank: 1 },
    { member: 'cy', score: 120, rank: 1 },
  ])
  const hits: Counter = createCounter(caches, { name: 'hits', shards: 4 })
  for (const id of ['a', 'b', 'a']) await hits.add('home', 2, { id })
  equal(await hits.count('home'), 4)
  const visitors = createUniques(caches, { name: 'visitors', salt: 'a secret of this project' })
  await visitors.seen('home', ['ada', 'bob', 'ada'])
  deepEqual(await visitors.count('home'), { count: 2, exact: true })
  await caches.close()
}

async function main(): Promise<void> {
  const common = { default: false, logger: false } as const
  await check(createCacheManager({ namespace: 'boards', local: lruStore(), ...common }))
  const url = process.env['REDIS_URL'] ?? ''
  const remote = redisStore({ url })
  await check(createCacheManager({ namespace: `boards-${process.pid}`, remote, ...common }))
  const boards = redisBoards({ url })
  await check(createCacheManager({ namespace: `own-boards-${process.pid}`, boards, ...common }))
}

main().then(
  () => console.log('ranked and counted'),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
