/** What do a leaderboard and a counter cost, next to the plain commands that promise less? Prints it, and writes boards.json and a chart. */

import { createCacheManager } from '@larder/core'
import { createCounter, createLeaderboard, createUniques } from '@larder/plugins/boards'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { type Contestant, compare } from './harness.ts'
import { printQuestion, writeJson, writeQuestion } from './report.ts'

export interface BoardsOptions {
  readonly url: string
  readonly machine: string
  readonly rounds: number
  readonly isQuick: boolean
}

const MEMBERS = 10_000
const CALLERS = 64

export async function boards({ url, machine, rounds, isQuick }: BoardsOptions): Promise<void> {
  const calls = isQuick ? 2_000 : 20_000
  const redis = new Redis(url)
  await using caches = createCacheManager({
    namespace: 'bench-boards',
    remote: redisStore({ url }),
    default: false,
    logger: false,
  })
  const common = { per: 'week', storeTimeout: '10s' } as const
  const board = createLeaderboard(caches, { name: 'b', update: 'last', ...common })
  const hits = createCounter(caches, { name: 'c', ...common })
  const buffered = createCounter(caches, { name: 'd', buffer: '1s', ...common })
  const visitors = createUniques(caches, { name: 'v', salt: 'a salt of the bench', ...common })
  let at = 0
  const next = (): string => `m${(at++ * 7_919) % MEMBERS}`
  const plain = 'bench-boards-plain'
  for (let i = 0; i < MEMBERS; i++) {
    await board.submit(`m${i}`, i)
    await redis.zadd(plain, i, `m${i}`)
  }
  const of = (name: string, call: () => unknown): Contestant => ({
    name,
    round: async () => {
      const each = Math.ceil(calls / CALLERS)
      const run = async (): Promise<void> => {
        for (let i = 0; i < each; i++) await call()
      }
      await Promise.all(Array.from({ length: CALLERS }, run))
      return each * CALLERS
    },
  })
  const timed = await compare(
    [
      of('ZADD', () => redis.zadd(plain, at, next())),
      of('Larder: submit', () => board.submit(next(), at)),
      of('ZREVRANK', () => redis.zrevrank(plain, next())),
      of('Larder: rank', () => board.rank(next(), { kind: 'dense' })),
      of('HINCRBY', () => redis.hincrby(`${plain}:h`, next(), 1)),
      of('Larder: add', () => hits.add(next())),
      of('Larder: add, buffered', () => buffered.add(next())),
      of('PFADD', () => redis.pfadd(`${plain}:v`, next())),
      of('Larder: seen', () => visitors.seen('home', next())),
    ],
    rounds,
  )
  redis.disconnect()
  const title = `Boards, ${CALLERS} callers, ${MEMBERS} members`
  const question = { id: 'boards', title, timed }
  printQuestion(question)
  if (isQuick) return
  writeJson('boards', { machine, rounds, timed })
  writeQuestion(question)
}
