/** What does a message cost, added and handled, next to BullMQ and to the plain commands that promise less? Prints it, and writes streams.json. */

import { createCacheManager } from '@larder/core'
import { createStream } from '@larder/plugins/messaging'
import { redisStore } from '@larder/redis-store'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { type Contestant, compare } from './harness.ts'
import { printQuestion, writeJson } from './report.ts'

export interface StreamsOptions {
  readonly url: string
  readonly machine: string
  readonly rounds: number
  readonly isQuick: boolean
}

/** Something that takes messages, and has them handled. */
interface Lane {
  readonly name: string
  add(): Promise<unknown>
  close(): Promise<unknown>
}

const CALLERS = 64
const MESSAGE = { to: 'ada@example.org', subject: 'Welcome', body: 'x'.repeat(200) }

export async function streams({ url, machine, rounds, isQuick }: StreamsOptions): Promise<void> {
  const messages = isQuick ? 1_000 : 10_000
  const tally = new Tally()
  const lanes = [await plain(url, tally), larder(url, tally), bullmq(url, tally)]
  const timed = await compare(
    lanes.map((lane): Contestant => {
      return {
        name: lane.name,
        round: async () => {
          const each = Math.ceil(messages / CALLERS)
          const done = tally.reaches(each * CALLERS)
          const run = async (): Promise<void> => {
            for (let i = 0; i < each; i++) await lane.add()
          }
          await Promise.all(Array.from({ length: CALLERS }, run))
          await done
          return each * CALLERS
        },
      }
    }),
    rounds,
  )
  await Promise.all(lanes.map((lane) => lane.close()))
  const title = `Messages added and handled, ${CALLERS} at a time`
  printQuestion({ id: '', title, timed })
  if (!isQuick) writeJson('streams', { machine, rounds, timed })
}

/** Counts what was handled; one contestant runs at a time. */
class Tally {
  #left = 0
  #resolve: () => void = () => undefined

  reaches(count: number): Promise<void> {
    this.#left = count
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  readonly handled = async (): Promise<void> => {
    this.#left -= 1
    if (this.#left === 0) this.#resolve()
  }
}

/** XADD, XREADGROUP and XACK: no schema, no retry, nothing for what a dead consumer left. */
async function plain(url: string, tally: Tally): Promise<Lane> {
  const redis = new Redis(url)
  const reading = new Redis(url)
  const key = 'bench-streams-plain'
  await redis.del(key)
  await redis.xgroup('CREATE', key, 'g', '0', 'MKSTREAM')
  let isOver = false
  const loop = (async () => {
    while (!isOver) {
      const found = (await reading
        .xreadgroup('GROUP', 'g', 'c', 'COUNT', CALLERS, 'BLOCK', 100, 'STREAMS', key, '>')
        .catch(() => null)) as [string, [string, string[]][]][] | null
      for (const [id, [, text = '']] of found?.[0]?.[1] ?? []) {
        JSON.parse(text)
        await tally.handled()
        void redis.xack(key, 'g', id)
      }
    }
  })()
  return {
    name: 'XADD, XREADGROUP, XACK',
    add: () => redis.xadd(key, 'MAXLEN', '~', 100_000, '*', 'm', JSON.stringify(MESSAGE)),
    close: async () => {
      isOver = true
      await loop
      reading.disconnect()
      redis.disconnect()
    },
  }
}

function larder(url: string, tally: Tally): Lane {
  const caches = createCacheManager({
    namespace: `bench-streams-${process.pid}`,
    remote: redisStore({ url }),
    default: false,
    logger: false,
  })
  const stream = createStream(caches, { name: 's', storeTimeout: '10s' })
  stream.handle({ group: 'g', concurrency: CALLERS }, tally.handled)
  return { name: 'Larder', add: () => stream.add(MESSAGE), close: () => caches.close() }
}

function bullmq(url: string, tally: Tally): Lane {
  const connection = { url, maxRetriesPerRequest: null }
  const name = `bench-streams-${process.pid}`
  const kept = { removeOnComplete: true, attempts: 5 }
  const queue = new Queue(name, { connection, defaultJobOptions: kept })
  const worker = new Worker(name, tally.handled, { connection, concurrency: CALLERS })
  return {
    name: 'BullMQ',
    add: () => queue.add('email', MESSAGE),
    close: async () => {
      await worker.close()
      await queue.obliterate({ force: true })
      await queue.close()
    },
  }
}
