/** Event stores over several processes, which are killed. */

import { createCacheManager } from '@larder/core'
import { createEventStore } from '@larder/plugins/messaging'
import { redisEventStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startWorker, type WorkerProcess } from '../support/process/worker.ts'
import type { EventsWorkerInit, worker } from './events.worker.ts'
import { all } from './support/stage.ts'

type Worker = WorkerProcess<typeof worker>
const PARTITIONS = 2

async function start(init: EventsWorkerInit): Promise<Worker> {
  const url = new URL('./events.worker.ts', import.meta.url)
  const started: Worker = await startWorker<typeof worker>(url, init)
  onTestFinished(() => started.kill().then(() => undefined))
  return started
}

function stage() {
  const url = inject('redisUrl')
  const namespace = freshNamespace()
  const caches = createCacheManager({
    namespace,
    eventStore: redisEventStore({ url }),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  const store = createEventStore<number>(caches, { name: 'n', partitions: PARTITIONS })
  const redis = new Redis(url)
  onTestFinished(() => redis.disconnect())
  return { store, redis, init: { url, namespace, partitions: PARTITIONS } }
}

it('of fifty appends in three processes exactly one wins each version', async () => {
  const { store, init } = stage()
  const workers = await Promise.all([start(init), start(init), start(init)])
  for (let version = 0; version < 3; version++) {
    const won = await Promise.all(workers.map((each) => each.call('race', 'a', version, 17)))
    expect(won.reduce((sum, each) => sum + each, 0)).toBe(1)
  }
  expect((await all(store.read('a'))).map(({ version }) => version)).toEqual([1, 2, 3])
}, 60_000)

it('a projection that is killed again and again loses no event, and keeps the order', async () => {
  const { store, redis, init } = stage()
  const list = `${init.namespace}:handled`
  const noted = async (): Promise<readonly (readonly number[])[]> => {
    const lists: (readonly number[])[] = []
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const lines = await redis.lrange(`${list}:${partition}`, 0, -1)
      lists.push(lines.map((line) => Number(line.split(' ')[0])))
    }
    return lists
  }
  const count = async (): Promise<number> => (await noted()).flat().length
  let appended = 0
  const append = async (many: number): Promise<void> => {
    for (let i = 0; i < many; i++) await store.append(`s${appended % 7}`, [appended++])
  }
  for (let round = 0; round < 3; round++) {
    const projector = await start(init)
    await append(40)
    const before = await count()
    await projector.call('project', list)
    // In the middle of it, at whichever step it happens to be.
    await eventually('it is at work', async () => (await count()) >= before + 5 + round * 4)
    await projector.kill()
  }
  const last = await start(init)
  await last.call('project', list)
  const lasts = await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => {
      const events = await all(store.readAll({ partition }))
      return events.at(-1)?.position ?? 0
    }),
  )
  await eventually('all is handled', async () => {
    const lists = await noted()
    return lists.every((positions, partition) => positions.at(-1) === lasts[partition])
  })
  await last.kill()
  for (const [partition, positions] of (await noted()).entries()) {
    // What was not saved is handled again, and never is one left out.
    let highest = 0
    for (const position of positions) {
      expect(position).toBeLessThanOrEqual(highest + 1)
      highest = Math.max(highest, position)
    }
    expect(highest).toBe(lasts[partition])
    const fences = (await redis.lrange(`${list}:${partition}`, 0, -1)).map((line) =>
      Number(line.split(' ')[2]),
    )
    expect(fences).toEqual(fences.toSorted((a, b) => a - b))
  }
}, 120_000)
