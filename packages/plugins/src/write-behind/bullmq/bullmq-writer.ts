/** The writer of a write-behind queue that hands each batch to a queue of BullMQ, as one job. */

import { type CacheManager, InvalidOptionError, RejectedWriteError } from '@larder/core'
import { assertFunction, assertKnownOptions, assertName, optionNames } from '@larder/core/store'
import type { JobsOptions } from 'bullmq'
import { writePartsOf } from '../create-write-behind.ts'
import type { Writer } from '../queue-options.ts'
import { QueueValues } from '../queue-values.ts'
import { type HandedBatch, jobIdOf, sealWrite } from './handed-batch.ts'

/** What is used of a `Queue` of BullMQ. */
export interface JobQueue {
  readonly defaultJobOptions?: JobsOptions | undefined
  add(name: string, data: HandedBatch, options: JobsOptions): Promise<unknown>
}

/** Options of `bullmqWriter`. */
export interface BullmqWriterOptions {
  /** Name of the write-behind queue; also the name of the jobs. */
  readonly name: string
  /** The `Queue` of BullMQ. */
  readonly queue: JobQueue
  /** Options of the jobs, above those of the queue; not what decides whether a job is added. @default 10 attempts with exponential backoff from 1 s, removed when done */
  readonly job?: Omit<JobsOptions, Deciding> | undefined
}

/** What would keep a batch from being a job of its own. */
type Deciding = 'jobId' | 'deduplication' | 'debounce' | 'repeat' | 'repeatJobKey'

const DECIDING = ['jobId', 'deduplication', 'debounce', 'repeat', 'repeatJobKey'] as const
const NAMES = optionNames<BullmqWriterOptions>({ name: true, queue: true, job: true })
const WHERE = 'bullmqWriter'

/** One attempt, as BullMQ has it, would make a failed job of each batch that meets a database that is away. */
const JOB_DEFAULTS = {
  attempts: 10,
  backoff: { type: 'exponential', delay: 1_000 },
  removeOnComplete: true,
} as const satisfies JobsOptions

/**
 * Returns a writer for `createWriteBehind`. It resolves when BullMQ has the job: the write is then no longer in the write-behind queue.
 * A batch that is handed over again is the same job, as long as BullMQ has it. Changes that are to be merged are rejected, because
 * jobs that are tried again are done in another order.
 *
 * @throws InvalidOptionError when an option is unknown or wrong
 * @example
 * const jobs = new Queue('progress', { connection: { url } })
 * createWriteBehind(caches, { name: 'progress', write: bullmqWriter(caches, { name: 'progress', queue: jobs }) })
 */
export function bullmqWriter<Value>(
  caches: CacheManager,
  options: BullmqWriterOptions,
): Writer<Value> {
  const { name, queue, job } = checked(options)
  const { values: bound, namespace } = writePartsOf(caches, WHERE)
  const values = new QueueValues({ queue: name, values: bound, merge: undefined })
  const add = onePatience(queue)
  return async (writes, { fence = null, signal }) => {
    if (writes.some(({ kind }) => kind === 'merge')) {
      const reason = `Changes that are to be merged are not handed to BullMQ (queue ${name}): jobs have no order that holds when one is tried again`
      throw new RejectedWriteError(reason)
    }
    const sealed = await Promise.all(writes.map((write) => sealWrite(write, values)))
    const origin = { namespace, queue: name }
    const jobId = jobIdOf(origin, sealed)
    const given = { ...JOB_DEFAULTS, ...without(queue.defaultJobOptions), ...job, jobId }
    signal.throwIfAborted()
    await add([name, { larder: 1, ...origin, fence, writes: sealed }, given], signal)
  }
}

function checked(options: BullmqWriterOptions): BullmqWriterOptions {
  assertKnownOptions(options, NAMES, WHERE)
  const { name, queue, job } = options
  assertName(name, `${WHERE}.name`)
  assertFunction(queue?.add, `${WHERE}.queue.add`)
  if (job === undefined) return options
  if (typeof job !== 'object' || job === null) {
    const expected = 'options of a job of BullMQ'
    throw new InvalidOptionError({ option: `${WHERE}.job`, expected, received: job })
  }
  const deciding = DECIDING.find((option) => Object.hasOwn(job, option))
  if (deciding === undefined) return options
  throw new InvalidOptionError({
    option: `${WHERE}.job.${deciding}`,
    expected: 'not to be given, because each batch is a job of its own',
    received: (job as JobsOptions)[deciding],
  })
}

function without(given: JobsOptions = {}): JobsOptions {
  const rest = { ...given }
  // By value and not by absence: BullMQ would take its default again.
  for (const option of DECIDING) if (Object.hasOwn(given, option)) rest[option] = undefined as never
  return rest
}

type Added = Parameters<JobQueue['add']>

/**
 * A client that cannot reach its server keeps what it was given, and sends it later. So while one job that was given up waits there, no
 * other is given to it: the batch is tried again often, and each time would fill the memory.
 */
function onePatience(queue: JobQueue): (job: Added, signal: AbortSignal) => Promise<void> {
  let givenUp = 0
  return async (job, signal) => {
    if (givenUp > 0) throw new Error('BullMQ has not answered yet: its Redis is away, or too slow')
    const adding = queue.add(...job)
    const onAbort = (): void => {
      givenUp += 1
      const back = (): void => {
        givenUp -= 1
      }
      adding.then(back, back)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await adding
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}
