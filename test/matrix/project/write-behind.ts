/** A queue of writes in the process and in Redis, and batches that are handed to BullMQ. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from 'node:assert'
import { once } from 'node:events'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import {
  createWriteBehind,
  currentFlush,
  type Writer,
  type WrittenWrite,
} from '@larder/plugins/write-behind'
import { bullmqProcessor, bullmqWriter } from '@larder/plugins/write-behind/bullmq'
import { redisStore, redisWrites } from '@larder/redis-store'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'

interface Reading {
  readonly page: number
  readonly at: Date
}

const AT = new Date(5)
const url = process.env['REDIS_URL'] ?? ''

function table(): {
  readonly rows: Map<string, Reading | undefined>
  readonly save: Writer<Reading>
} {
  const rows = new Map<string, Reading | undefined>()
  const save = async (writes: readonly WrittenWrite<Reading>[]): Promise<void> => {
    equal(typeof currentFlush().fence, 'number')
    for (const { key, value } of writes) rows.set(key, value)
  }
  return { rows, save }
}

async function check(caches: CacheManager): Promise<void> {
  const { rows, save } = table()
  const queue = createWriteBehind<Reading>(caches, { name: 'progress', every: '1h', write: save })
  await queue.put('ada', { page: 11, at: AT })
  await queue.put('ada', { page: 12, at: AT })
  equal((await queue.pending()).writes, 1)
  await queue.flush()
  deepEqual([...rows], [['ada', { page: 12, at: AT }]])
  await caches.close()
}

async function checkHandOver(caches: CacheManager, name: string): Promise<void> {
  const { rows, save } = table()
  const connection = { url, maxRetriesPerRequest: null }
  const jobs = new Queue(name, { connection })
  const client = new Redis(url)
  const write = bullmqWriter<Reading>(caches, { name: 'progress', queue: jobs })
  const queue = createWriteBehind<Reading>(caches, { name: 'progress', every: '1h', write })
  await queue.put('ada', { page: 12, at: AT })
  await queue.flush()
  const process = bullmqProcessor<Reading>(caches, { name: 'progress', write: save, client })
  const worker = new Worker(name, process, { connection })
  await once(worker, 'completed')
  deepEqual([...rows], [['ada', { page: 12, at: AT }]])
  await worker.close()
  await jobs.obliterate({ force: true })
  await jobs.close()
  await client.quit()
  await caches.close()
}

async function main(): Promise<void> {
  const common = { default: false, logger: false } as const
  const namespace = `write-behind-${process.pid}`
  await check(createCacheManager({ namespace, local: lruStore(), ...common }))
  await check(createCacheManager({ namespace, remote: redisStore({ url }), ...common }))
  const own = { remote: redisStore({ url }), writes: redisWrites({ url }) }
  await check(createCacheManager({ namespace: `own-${namespace}`, ...own, ...common }))
  const handing = createCacheManager({
    namespace: `handing-${namespace}`,
    remote: redisStore({ url }),
    ...common,
  })
  await checkHandOver(handing, `jobs-${process.pid}`)
}

main().then(
  () => console.log('queued and written'),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
