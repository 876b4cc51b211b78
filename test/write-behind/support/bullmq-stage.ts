/** Queues and workers of both majors of BullMQ. */

import { bullmqProcessor, bullmqWriter } from '@larder/plugins/write-behind/bullmq'
import * as bullmq5 from 'bullmq'
import * as bullmq6 from 'bullmq6'
import { Redis } from 'ioredis'
import { inject, onTestFinished } from 'vitest'
import { freshNamespace } from '../../support/nodes.ts'
import { Database, openManager, openQueue } from './stage.ts'

/** Both are used alike; their classes have private parts, so their types are not the same. */
export const MAJORS = [
  ['5', bullmq5],
  ['6', bullmq6 as unknown as typeof bullmq5],
] as const

export type BullMQ = typeof bullmq5

type WriterOptions = Parameters<typeof bullmqWriter>[1]
type ManagerOptions = Parameters<typeof openManager>[1]

export interface JobsStage {
  readonly jobs: bullmq5.Queue
  /** What the workers write to. */
  readonly database: Database
  readonly client: Redis
  readonly namespace: string
  readonly handOver: (options?: ManagerOptions, writer?: Partial<WriterOptions>) => HandOver
  readonly work: (options?: ManagerOptions) => bullmq5.Worker
  /** Calls the processor without a worker. */
  readonly processor: (options?: ManagerOptions) => ReturnType<typeof bullmqProcessor>
}

export interface HandOver extends Omit<ReturnType<typeof openQueue>, 'database'> {
  readonly write: ReturnType<typeof bullmqWriter<unknown>>
}

export function openJobs(
  { Queue, Worker }: BullMQ,
  options: { readonly url?: string; readonly namespace?: string } = {},
): JobsStage {
  const { url = inject('redisUrl'), namespace = freshNamespace() } = options
  const connection = { url, maxRetriesPerRequest: null }
  const jobs = new Queue(namespace, { connection })
  jobs.on('error', () => undefined)
  const client = new Redis(inject('redisUrl'))
  const database = new Database()
  onTestFinished(async () => {
    await jobs.obliterate({ force: true })
    await jobs.close()
    client.disconnect()
  })
  const processor = (managerOptions: ManagerOptions = {}): ReturnType<typeof bullmqProcessor> => {
    const caches = openManager('on Redis', { namespace, ...managerOptions })
    return bullmqProcessor(caches, { name: 'progress', write: database.write, client })
  }
  return {
    jobs,
    database,
    client,
    namespace,
    processor,
    handOver: (managerOptions = {}, writerOptions = {}) => {
      const own = { namespace, ...managerOptions }
      const named = { name: 'progress', queue: jobs, ...writerOptions }
      const write = bullmqWriter<unknown>(openManager('on Redis', own), named)
      const { caches, queue } = openQueue('on Redis', { write }, own)
      return { caches, queue, write }
    },
    work: (managerOptions) => {
      const worker = new Worker(namespace, processor(managerOptions), { connection })
      worker.on('error', () => undefined)
      onTestFinished(() => worker.close(true))
      return worker
    },
  }
}
