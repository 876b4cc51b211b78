/** A Redis that refuses writes is still asked: what it holds can be read. */

import { createCacheManager } from '@larder/core'
import { createCounter, createLeaderboard, createUniques } from '@larder/plugins/boards'
import { redisStore } from '@larder/redis-store'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'

const DAY = { per: 'day', periods: 3, storeTimeout: '10s' } as const

let server: RedisServer
beforeAll(async () => {
  server = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
})
afterAll(() => server.stop())

function open() {
  const remote = redisStore({ url: server.url })
  const namespace = freshNamespace()
  const caches = createCacheManager({ namespace, remote, default: false, logger: false })
  onTestFinished(() => caches.close())
  const salt = 'a secret of the tests'
  return {
    board: createLeaderboard(caches, { name: 'b', ...DAY }),
    hits: createCounter(caches, { name: 'c', ...DAY }),
    uniques: createUniques(caches, { name: 'u', exactBelow: 0, salt, ...DAY }),
  }
}

it.each([
  ['is full', ['maxmemory', '1', '0']],
  ['has too few replicas', ['min-replicas-to-write', '1', '0']],
] as const)(
  'a server that %s shows what it holds, however many writes it has refused',
  async (_, [option, on, off]) => {
    const { board, hits, uniques } = open()
    await board.submit('ada', 1)
    await hits.add('home')
    await uniques.seen('home', 'ada')
    await server.command('CONFIG', 'SET', option, on)
    onTestFinished(async () => void (await server.command('CONFIG', 'SET', option, off)))
    for (let n = 0; n < 10; n++) {
      await expect(board.submit(n, 1)).rejects.toMatchObject({
        code: 'LARDER_BOARD_UNAVAILABLE',
        cause: { code: 'LARDER_STORE_REFUSED' },
      })
    }
    expect(await board.top(3)).toEqual([{ member: 'ada', score: 1, rank: 1 }])
    expect(await board.rank('ada')).toBe(1)
    expect(await hits.count('home', { last: 3 })).toBe(1)
    expect(await uniques.count('home')).toEqual({ count: 1, exact: false })
    if (option !== 'maxmemory') return
    expect(await board.top(3, { merge: 3 })).toHaveLength(1)
    expect(await uniques.count('home', { last: 3 })).toEqual({ count: 1, exact: false })
  },
)
