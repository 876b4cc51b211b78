/** What do maps, sets and lists cost, next to the plain commands that promise less? Prints it, and writes structures.json and a chart. */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createList, createMap, createSet } from '@larder/plugins/structures'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { type Contestant, compare } from './harness.ts'
import { printQuestion, writeJson, writeQuestion } from './report.ts'

export interface StructuresOptions {
  readonly url: string
  readonly machine: string
  readonly rounds: number
  readonly isQuick: boolean
}

const KEYS = 1_000
const CALLERS = 64
const LINE = { quantity: 2, title: 'A lamp' }

export async function structures({
  url,
  machine,
  rounds,
  isQuick,
}: StructuresOptions): Promise<void> {
  const calls = isQuick ? 2_000 : 20_000
  const redis = new Redis(url)
  await using caches = createCacheManager({
    namespace: 'bench-structures',
    local: lruStore(),
    remote: redisStore({ url }),
    default: false,
    logger: false,
  })
  const common = { ttl: '1h', most: 100, storeTimeout: '10s' } as const
  const map = createMap<Record<string, typeof LINE>>(caches, { name: 'm', ...common })
  const set = createSet<string>(caches, { name: 's', ...common, whenFull: 'drop' })
  const near = createSet<string>(caches, { name: 'n', ...common, localCopy: '1m' })
  const list = createList<typeof LINE>(caches, { name: 'l', ...common })
  const plain = 'bench-structures-plain'
  const text = JSON.stringify(LINE)
  await near.addMany('k', ['a', 'b', 'c'])
  let at = 0
  const next = (): string => `k${(at++ * 7_919) % KEYS}`
  const field = (): string => `f${at % 20}`
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
      of('HSET, EXPIRE', () => {
        const key = `${plain}:h:${next()}`
        return redis.multi().hset(key, field(), text).expire(key, 3_600).exec()
      }),
      of('Larder: set of a map', () => map.set(next(), { [field()]: LINE })),
      of('HGET, parsed', async () => {
        const found = await redis.hget(`${plain}:h:${next()}`, field())
        return found === null ? undefined : JSON.parse(found)
      }),
      of('Larder: get of a map', () => map.get(next(), field())),
      of('SISMEMBER', () => redis.sismember(`${plain}:s`, 'a')),
      of('Larder: has of a set', () => set.has('k', 'a')),
      of('Larder: has of a set, from a copy', () => near.has('k', 'a')),
      of('LPUSH, LTRIM, EXPIRE', () => {
        const key = `${plain}:l:${next()}`
        return redis.multi().lpush(key, text).ltrim(key, 0, 99).expire(key, 3_600).exec()
      }),
      of('Larder: push to a list', () => list.push(next(), LINE)),
    ],
    rounds,
  )
  redis.disconnect()
  const title = `Maps, sets and lists, ${CALLERS} callers, ${KEYS} keys`
  const question = { id: 'structures', title, timed }
  printQuestion(question)
  if (isQuick) return
  writeJson('structures', { machine, rounds, timed })
  writeQuestion(question)
}
