/** Batches that are handed to BullMQ: to the real library, in both of its majors. */

import { createCacheManager, RejectedWriteError } from '@larder/core'
import { encryption } from '@larder/plugins/encryption'
import type { WrittenWrite } from '@larder/plugins/write-behind'
import {
  bullmqProcessor,
  bullmqWriter,
  type HandedBatch,
} from '@larder/plugins/write-behind/bullmq'
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startWorker } from '../support/process/worker.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import type { worker as handingWorker } from './bullmq.worker.ts'
import { MAJORS, openJobs } from './support/bullmq-stage.ts'

const context = { fence: 7, signal: new AbortController().signal }
const CLIENT = { call: async () => [] }
const QUEUE = { add: async () => 1 }
const WRITE = async () => 1
const PATIENCE = { timeout: 20_000 }

function value(key: string, version: number, of: unknown = version): WrittenWrite<unknown> {
  return { key, kind: 'value', value: of, version, since: version }
}

describe.each(MAJORS)('with BullMQ %s', (_major, bullmq) => {
  it('writes what was queued, with values as they were', async () => {
    const { handOver, work, database, jobs } = openJobs(bullmq)
    const { queue } = handOver()
    const row = { at: new Date(5), tags: new Set(['a']), page: 12 }
    await queue.put('ada', { page: 11 })
    await queue.put('ada', row)
    await queue.put('bob', 1)
    await queue.delete('bob')
    await queue.flush()
    expect(await queue.pending()).toMatchObject({ writes: 0 })
    expect(await jobs.getWaitingCount()).toBe(1)
    work()
    await vi.waitFor(() => expect(database.rows.size).toBe(2), PATIENCE)
    expect(database.get('ada')).toEqual(row)
    expect(database.get('bob')).toBeUndefined()
    expect(database.contexts[0]?.fence).toBeGreaterThan(0)
  })

  it('a batch that is handed over twice is one job', async () => {
    const { handOver, jobs } = openJobs(bullmq)
    const batch = [value('a', 1), value('b', 2)]
    await handOver().write(batch, context)
    await handOver().write(batch.toReversed(), { ...context, fence: 8 })
    expect(await jobs.getJobCountByTypes('waiting')).toBe(1)
    await handOver().write([value('a', 3)], context)
    expect(await jobs.getJobCountByTypes('waiting')).toBe(2)
  })

  it('a batch whose job failed once is written behind a newer one, without its older values', async () => {
    const { handOver, work, database, jobs } = openJobs(bullmq)
    const { write } = handOver({}, { job: { attempts: 2, backoff: { type: 'fixed', delay: 500 } } })
    await write([value('a', 1, 'old'), value('b', 1)], context)
    await write([value('a', 2, 'new')], context)
    database.failing = (writes) => {
      if (!writes.some(({ version }) => version === 1)) return
      if (database.rows.has('a')) return
      throw new Error('away')
    }
    work()
    await vi.waitFor(() => expect(database.rows.size).toBe(2), PATIENCE)
    await vi.waitFor(async () => {
      expect(await jobs.getJobCountByTypes('active', 'waiting', 'delayed')).toBe(0)
    }, PATIENCE)
    expect(database.get('a')).toBe('new')
    expect(database.stepsBack).toEqual([])
  })

  it('a job of which all that is left was rejected is not tried again', async () => {
    const { handOver, work, database, jobs } = openJobs(bullmq)
    await handOver().write([value('a', 1), value('bad', 2), value('c', 3)], context)
    database.failing = (writes) => {
      if (writes.some(({ key }) => key === 'bad')) throw new RejectedWriteError('never')
    }
    work()
    await vi.waitFor(async () => expect(await jobs.getFailedCount()).toBe(1), PATIENCE)
    expect([...database.rows.keys()].toSorted()).toEqual(['a', 'c'])
    const [failed] = await jobs.getFailed()
    expect(failed?.attemptsMade).toBe(1)
    expect(failed?.failedReason).toContain('never')
  })

  it('what is encrypted in the store is encrypted in the job', async () => {
    const { handOver, work, database, jobs } = openJobs(bullmq)
    const key = { key: Buffer.alloc(32, 7) }
    const plugins = [encryption({ keys: [key] })]
    const { queue } = handOver({ plugins })
    await queue.put('ada', { page: 'a secret page' })
    await queue.flush()
    const [job] = await jobs.getWaiting()
    const data = job?.data as HandedBatch | undefined
    const bytes = Buffer.from(data?.writes[0]?.value ?? '', 'base64').toString('latin1')
    expect(bytes.length).toBeGreaterThan(0)
    expect(bytes).not.toContain('a secret page')
    work({ plugins })
    await vi.waitFor(() => expect(database.get('ada')).toEqual({ page: 'a secret page' }), PATIENCE)
  })

  it('what cannot be handed over stays in the queue, and becomes one job', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const { handOver, jobs } = openJobs(bullmq, { url: redis.url })
    await jobs.waitUntilReady()
    const { queue } = handOver()
    await queue.put('a', 1)
    await redis.kill()
    await expect(queue.flush({ timeout: '300ms' })).rejects.toMatchObject({
      code: 'LARDER_WRITES_PENDING',
    })
    expect(await queue.pending()).toMatchObject({ writes: 1 })
    await redis.start()
    await queue.flush({ timeout: '30s' })
    expect(await jobs.getJobCountByTypes('waiting')).toBe(1)
  }, 60_000)
})

it('a process that is killed when it has handed over and not acknowledged: the next one hands over the same job', async () => {
  const [[, bullmq]] = MAJORS
  const { namespace, jobs, work, database } = openJobs(bullmq)
  const url = inject('redisUrl')
  const open = async (dies: boolean) => {
    const module = new URL('./bullmq.worker.ts', import.meta.url)
    const started = await startWorker<typeof handingWorker>(module, { namespace, url, dies })
    onTestFinished(() => started.kill())
    return started
  }
  const first = await open(true)
  await first.call('putAndFlush', ['a', 'b']).catch(() => undefined)
  await eventually('it is dead', () =>
    first.call('putAndFlush', []).then(
      () => false,
      () => true,
    ),
  )
  expect(await jobs.getJobCountByTypes('waiting')).toBe(1)
  const next = await open(false)
  await next.call('putAndFlush', [])
  expect(await next.call('pending')).toBe(0)
  expect(await jobs.getJobCountByTypes('waiting')).toBe(1)
  work()
  await vi.waitFor(() => expect([...database.rows.keys()]).toEqual(['a', 'b']), PATIENCE)
  expect(database.batches).toHaveLength(1)
}, 60_000)

describe('the writer', () => {
  const [[, bullmq]] = MAJORS

  it('rejects changes that are to be merged', async () => {
    const { handOver, jobs } = openJobs(bullmq)
    const merge = { ...value('a', 1), kind: 'merge' } as const
    await expect(handOver().write([merge], context)).rejects.toThrow(RejectedWriteError)
    expect(await jobs.getJobCountByTypes('waiting')).toBe(0)
  })

  it('adds each batch, whatever the defaults of the queue say of duplicates', async () => {
    const { handOver, jobs } = openJobs(bullmq)
    const defaults = { deduplication: { id: 'one' }, attempts: 3 }
    const queue = { defaultJobOptions: defaults, add: jobs.add.bind(jobs) }
    const { write } = handOver({}, { queue })
    await write([value('a', 1)], context)
    await write([value('b', 2)], context)
    const waiting = await jobs.getWaiting()
    expect(waiting.map(({ opts }) => opts.attempts)).toEqual([3, 3])
  })

  it('gives a client that does not answer one batch, however often it is tried', async () => {
    const { handOver } = openJobs(bullmq)
    const answers: (() => void)[] = []
    const add = vi.fn(() => new Promise<void>((resolve) => answers.push(resolve)))
    const { write } = handOver({}, { queue: { add } })
    const giveUp = new AbortController()
    const first = write([value('a', 1)], { fence: 1, signal: giveUp.signal })
    await vi.waitFor(() => expect(add).toHaveBeenCalledTimes(1))
    giveUp.abort()
    await expect(write([value('a', 1)], context)).rejects.toThrow('has not answered yet')
    expect(add).toHaveBeenCalledTimes(1)
    answers[0]?.()
    await first
    const second = write([value('a', 1)], context)
    await vi.waitFor(() => expect(add).toHaveBeenCalledTimes(2))
    answers[1]?.()
    await second
  })

  it.each([
    [{ name: 'a b', queue: QUEUE }, 'bullmqWriter.name'],
    [{ name: 'a', queue: {} }, 'bullmqWriter.queue.add'],
    [{ name: 'a', queue: QUEUE, job: { jobId: 'x' } }, 'bullmqWriter.job.jobId'],
    [{ name: 'a', queue: QUEUE, job: 5 }, 'bullmqWriter.job'],
    [{ name: 'a', queue: QUEUE, jobs: {} }, 'bullmqWriter.jobs'],
  ])('names the wrong option of %j', (options, named) => {
    const caches = createCacheManager({ namespace: 'options', default: false, logger: false })
    onTestFinished(() => caches.close())
    const wrong = options as unknown as Parameters<typeof bullmqWriter>[1]
    expect(() => bullmqWriter(caches, wrong)).toThrow(named)
  })
})

describe('the processor', () => {
  const [[, bullmq]] = MAJORS
  const noted = (stage: ReturnType<typeof openJobs>): string =>
    `larder-handed-over:{${stage.namespace}:progress}`

  async function jobsOf(
    stage: ReturnType<typeof openJobs>,
    ...batches: (readonly WrittenWrite<unknown>[])[]
  ): Promise<readonly { readonly data: unknown }[]> {
    const { write } = stage.handOver()
    for (const batch of batches) await write(batch, context)
    const waiting = await stage.jobs.getWaiting()
    return waiting.toSorted((a, b) => a.timestamp - b.timestamp).map(({ data }) => ({ data }))
  }

  it('skips what another batch has written', async () => {
    const stage = openJobs(bullmq)
    const run = stage.processor()
    const both = [value('a', 10), value('b', 11)]
    const jobs = await jobsOf(stage, [value('a', 10)], both)
    const of = (count: number) =>
      jobs.find(({ data }) => (data as HandedBatch).writes.length === count) ?? { data: undefined }
    expect(await run(of(1))).toEqual({ written: 1, skipped: 0 })
    expect(await run(of(2))).toEqual({ written: 1, skipped: 1 })
    expect(await run(of(2))).toEqual({ written: 0, skipped: 2 })
    expect(stage.database.batches).toEqual([['a'], ['b']])
  })

  it('does not write again what was written of a batch that failed', async () => {
    const stage = openJobs(bullmq)
    const run = stage.processor()
    const [job = { data: undefined }] = await jobsOf(stage, [value('a', 1), value('b', 2)])
    stage.database.failing = (writes) => {
      if (writes.some(({ key }) => key === 'b')) throw new Error('locked')
    }
    await expect(run(job)).rejects.toThrow('locked')
    stage.database.failing = () => undefined
    expect(await run(job)).toEqual({ written: 1, skipped: 1 })
    expect(stage.database.batches.filter((keys) => keys.includes('a'))).toHaveLength(2)
  })

  it('tries a batch again of which not all was tried, though all that was is rejected', async () => {
    const stage = openJobs(bullmq)
    const batch = Array.from({ length: 64 }, (_, i) => value(`k${i}`, i + 1))
    const [job = { data: undefined }] = await jobsOf(stage, batch)
    stage.database.failing = () => {
      throw new RejectedWriteError('never')
    }
    await expect(stage.processor()(job)).rejects.toMatchObject({ name: 'RejectedWriteError' })
  })

  it('runs jobs that share a key one after the other', async () => {
    const stage = openJobs(bullmq)
    const run = stage.processor()
    const jobs = await jobsOf(stage, [value('a', 1)], [value('a', 2), value('b', 2)])
    let atOnce = 0
    let most = 0
    stage.database.failing = async () => {
      atOnce += 1
      most = Math.max(most, atOnce)
      await stage.client.ping()
      atOnce -= 1
    }
    await Promise.all(jobs.map((job) => run(job)))
    expect(most).toBe(1)
    expect(stage.database.get('a')).toBe(2)
    expect(stage.database.stepsBack).toEqual([])
  })

  it('forgets what is older than it is to remember', async () => {
    const stage = openJobs(bullmq)
    const day = 24 * 3_600_000_000
    const jobs = await jobsOf(stage, [value('a', day)], [value('b', 3 * day)])
    const run = stage.processor()
    for (const job of jobs) await run(job)
    expect(await stage.client.zrange(noted(stage), '0', '-1')).toEqual(['b'])
    expect(await stage.client.pttl(noted(stage))).toBeGreaterThan(0)
  })

  it('refuses for good what is no batch, and a batch of another queue', async () => {
    const stage = openJobs(bullmq)
    const run = stage.processor()
    const other = { larder: 1, namespace: 'x', queue: 'other', fence: null, writes: [] }
    for (const data of [undefined, null, 5, {}, { larder: 1 }, other, { ...other, writes: [{}] }])
      await expect(run({ data })).rejects.toMatchObject({ name: 'UnrecoverableError' })
  })

  it('fails a job while it cannot ask what was written', async () => {
    const stage = openJobs(bullmq)
    const [job = { data: undefined }] = await jobsOf(stage, [value('a', 1)])
    const { caches } = stage.handOver()
    const away = { call: async () => Promise.reject(new Error('its Redis is away')) }
    const { write } = stage.database
    const run = bullmqProcessor(caches, { name: 'progress', write, client: away })
    await expect(run(job)).rejects.toThrow('its Redis is away')
    expect(stage.database.batches).toEqual([])
  })

  it.each([
    [{ name: 'a' }, 'bullmqProcessor.write'],
    [{ name: 'a', write: WRITE, client: {} }, 'bullmqProcessor.client.call'],
    [{ name: 'a', write: WRITE, client: CLIENT, remember: '1s' }, 'remember'],
    [{ name: 'a', write: WRITE, client: CLIENT, forget: true }, 'bullmqProcessor.forget'],
  ])('names the wrong option of %j', (options, named) => {
    const caches = createCacheManager({ namespace: 'options', default: false, logger: false })
    onTestFinished(() => caches.close())
    const wrong = options as unknown as Parameters<typeof bullmqProcessor>[1]
    expect(() => bullmqProcessor(caches, wrong)).toThrow(named)
  })
})
