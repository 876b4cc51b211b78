/** What does a queued write cost, and how fast is a queue written, next to plain HSET and to the jobs of BullMQ? Prints it, and writes write-behind.json. */

import { createCacheManager } from '@larder/core'
import { createWriteBehind } from '@larder/plugins/write-behind'
import { redisStore } from '@larder/redis-store'
import { Queue, Worker } from 'bullmq'
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
  const jobs = openJobs(url)
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
      of('BullMQ: addBulk', PER_STEP, () => jobs.add(many())),
      {
        name: 'Larder: putMany and flush',
        round: async () => {
          const steps = Math.ceil(calls / PER_STEP)
          for (let i = 0; i < steps; i++) await flushed.putMany(many())
          await flushed.flush({ timeout: '1m' })
          return steps * PER_STEP
        },
      },
      {
        name: 'BullMQ: addBulk and done',
        round: async () => {
          const steps = Math.ceil(calls / PER_STEP)
          const done = jobs.reaches(steps * PER_STEP)
          for (let i = 0; i < steps; i++) await jobs.addWorked(many())
          await done
          return steps * PER_STEP
        },
      },
    ],
    rounds,
  )
  await jobs.close()
  await redis.del(plain)
  redis.disconnect()
  const title = `Write-behind, ${CALLERS} callers, ${KEYS} keys`
  const question = { id: 'write-behind', title, timed }
  printQuestion(question)
  if (isQuick) return
  writeJson('write-behind', { machine, rounds, timed })
  writeQuestion(question)
}

interface Jobs {
  /** A job for each row, of which none is done. */
  readonly add: (rows: readonly (readonly [string, object])[]) => Promise<unknown>
  /** A job for each row, and a worker that does them. */
  readonly addWorked: (rows: readonly (readonly [string, object])[]) => Promise<unknown>
  /** Resolves when so many more are done. */
  readonly reaches: (count: number) => Promise<void>
  readonly close: () => Promise<void>
}

/** BullMQ has nothing that coalesces by key, so each write is a job. */
function openJobs(url: string): Jobs {
  const connection = { url, maxRetriesPerRequest: null }
  const defaultJobOptions = { removeOnComplete: true, attempts: 5 }
  const name = `bench-write-behind-${process.pid}`
  const waiting = new Queue(`${name}-waiting`, { connection, defaultJobOptions })
  const worked = new Queue(`${name}-worked`, { connection, defaultJobOptions })
  let left = 0
  let tell: () => void = () => undefined
  const work = async (): Promise<void> => {
    left -= 1
    if (left === 0) tell()
  }
  const worker = new Worker(`${name}-worked`, work, { connection, concurrency: CALLERS })
  const of = (rows: readonly (readonly [string, object])[]) =>
    rows.map(([key, data]) => ({ name: 'row', data: { key, data } }))
  return {
    add: (rows) => waiting.addBulk(of(rows)),
    addWorked: (rows) => worked.addBulk(of(rows)),
    reaches: (count) => {
      left = count
      return new Promise((resolve) => {
        tell = resolve
      })
    },
    close: async () => {
      await worker.close()
      for (const queue of [waiting, worked]) {
        await queue.obliterate({ force: true })
        await queue.close()
      }
    },
  }
}
