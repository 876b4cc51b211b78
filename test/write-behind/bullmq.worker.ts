/** A process that hands over to BullMQ, and may die before it has acknowledged that. */

import { createCacheManager } from '@larder/core'
import { createWriteBehind, type WriteQueue } from '@larder/plugins/write-behind'
import { bullmqWriter } from '@larder/plugins/write-behind/bullmq'
import { redisStore } from '@larder/redis-store'
import { Queue } from 'bullmq'

interface HandingInit {
  readonly namespace: string
  readonly url: string
  readonly dies: boolean
}

let queue: WriteQueue<number>

function start({ namespace, url, dies }: HandingInit): void {
  const remote = redisStore({ url })
  const caches = createCacheManager({ namespace, remote, default: false, logger: false })
  const jobs = new Queue(namespace, { connection: { url } })
  const handOver = bullmqWriter<number>(caches, { name: 'progress', queue: jobs })
  queue = createWriteBehind<number>(caches, {
    name: 'progress',
    every: '1h',
    hold: '300ms',
    drain: 0,
    write: async (writes, context) => {
      await handOver(writes, context)
      if (dies) process.kill(process.pid, 'SIGKILL')
    },
  })
}

async function putAndFlush(keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await queue.putMany(keys.map((key, i) => [key, i] as const))
  await queue.flush({ timeout: '20s' })
}

async function pending(): Promise<number> {
  return (await queue.pending()).writes
}

export const worker = { start, putAndFlush, pending }
