/** What does a queued write cost, and how fast is a queue written, next to plain HSET? Prints it, and writes write-behind.json. */

import { createCacheManager } from '@larder/core'
import { createWriteBehind } from '@larder/plugins/write-behind'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import type { BoardsOptions } from './boards.ts'
import { type Contestant, compare } from './harness.ts'
import { printQuestion, writeJson, writeQuestion } from './report.ts'

const KEYS = 10_000
const CALLERS = 64
const PER_STEP = 100

export async function writeBehind({ url, machine, rounds, isQuick }: BoardsOptions): Promise<void> {
  const calls = isQuick ? 2_000 : 20_000
  const redis = new Redis(url)
  await using caches = createCacheManager({
    namespace: 'bench-write-behind',
    remote: redisStore({ url }),
    default: false,
    logger: false,
  })
  const common = { every: '1h', batch: 1_000, storeTimeout: '10s', drain: 0 } as const
  const ignore = async (): Promise<void> => undefined
  const queue = createWriteBehind<object>(caches, { name: 'q', ...common })
  const flushed = createWriteBehind<object>(caches, { name: 'f', write: ignore, ...common })
  const plain = 'bench-write-behind-plain'
  const row = { page: 12, at: 1_764_547_200_000, device: 'phone' }
  const text = JSON.stringify(row)
  let at = 0
  const next = (): string => `k${(at++ * 7_919) % KEYS}`
  const of = (name: string, perCall: number, call: () => Promise<unknown>): Contestant => ({
    name,
    round: async () => {
      const each = Math.ceil(calls / CALLERS / perCall)
      const run = async (): Promise<void> => {
        for (let i = 0; i < each; i++) await call()
      }
      await Promise.all(Array.from({ length: CALLERS }, run))
      return each * CALLERS * perCall
    },
  })
  const many = (): (readonly [string, object])[] =>
    Array.from({ length: PER_STEP }, () => [next(), row] as const)
  const timed = await compare(
    [
      of('HSET', 1, () => redis.hset(plain, next(), text)),
      of('Larder: put', 1, () => queue.put(next(), row)),
      of('Larder: putMany', PER_STEP, () => queue.putMany(many())),
      {
        name: 'Larder: putMany and flush',
        round: async () => {
          const steps = Math.ceil(calls / PER_STEP)
          for (let i = 0; i < steps; i++) await flushed.putMany(many())
          await flushed.flush({ timeout: '1m' })
          return steps * PER_STEP
        },
      },
    ],
    rounds,
  )
  await redis.del(plain)
  redis.disconnect()
  const title = `Write-behind, ${CALLERS} callers, ${KEYS} keys`
  const question = { id: 'write-behind', title, timed }
  printQuestion(question)
  if (isQuick) return
  writeJson('write-behind', { machine, rounds, timed })
  writeQuestion(question)
}
