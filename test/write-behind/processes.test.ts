/**
 * Processes that die at each step, freeze, and lose their store: what was queued is written, and never an older value after a newer.
 *
 * `CHAOS_ROUNDS=20` makes the last test longer.
 */

import { expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startWorker, type WorkerProcess } from '../support/process/worker.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { testSeed } from '../support/seed.ts'
import type { Death, QueueWorkerInit, worker } from './queue.worker.ts'
import { stepsBack, Table } from './support/table.ts'

type QueueWorker = WorkerProcess<typeof worker>

const ROUNDS = Number(process.env['CHAOS_ROUNDS'] ?? 2)

async function open(
  init: Pick<QueueWorkerInit, 'namespace' | 'url' | 'death'> & Partial<QueueWorkerInit>,
): Promise<QueueWorker> {
  const started = await startWorker<typeof worker>(new URL('./queue.worker.ts', import.meta.url), {
    tableUrl: inject('redisUrl'),
    holdMs: 500,
    ...init,
  })
  onTestFinished(() => started.kill())
  return started
}

function openTable(namespace: string): Table {
  const table = new Table(inject('redisUrl'), namespace)
  onTestFinished(() => table.close())
  return table
}

const VALUES = Array.from({ length: 20 }, (_, i) => [`k${i}`, i] as const)
const ROWS = Object.fromEntries(VALUES.map(([key, value]) => [key, String(value)]))

it.each<Death>(['enqueued', 'taken', 'half', 'committed'])(
  'a process that dies when it has %s loses nothing that was queued',
  async (death) => {
    const namespace = freshNamespace()
    const url = inject('redisUrl')
    const table = openTable(namespace)
    const first = await open({ namespace, url, death })
    const queued = death === 'enqueued' ? 'putAndDie' : 'putMany'
    await first.call(queued, VALUES).catch(() => undefined)
    await eventually('the first is dead', () =>
      first.call('putMany', []).then(
        () => false,
        () => true,
      ),
    )
    const next = await open({ namespace, url, death: 'none' })
    await next.call('putMany', [['last', 1]])
    // It was queued for an hour later.
    if (death === 'enqueued') await next.call('flush')
    await eventually('all is written', async () => {
      expect(await table.rows()).toEqual({ ...ROWS, last: '1' })
      return true
    })
    expect(stepsBack(await table.log())).toEqual([])
  },
  60_000,
)

it('a write that kills each process that writes it is a dead letter in the end, and the others are written', async () => {
  const namespace = freshNamespace()
  const table = openTable(namespace)
  const init = {
    namespace,
    url: inject('redisUrl'),
    death: 'bad',
    holdMs: 300,
    attempts: 1,
  } as const
  let died = 0
  let letters: readonly string[] = []
  while (letters.length === 0 && died < 10) {
    const process = await open(init)
    try {
      await process.call('putMany', died === 0 ? [['bad', 1], ...VALUES] : [[`later${died}`, died]])
      // Rejects when the process dies.
      letters = await process.call('untilBuried')
    } catch {
      died += 1
    }
  }
  expect(letters).toEqual(['bad'])
  // Twice with the others; alone, once that nothing else told about, and once that counts.
  expect(died).toBeGreaterThanOrEqual(3)
  await eventually('the others are written', async () => {
    expect(await table.rows()).toMatchObject(ROWS)
    return true
  })
}, 120_000)

it('a process that freezes longer than its hold is refused by its fence', async () => {
  const namespace = freshNamespace()
  const url = inject('redisUrl')
  const table = openTable(namespace)
  const slow = await open({ namespace, url, death: 'frozen', holdMs: 300 })
  await slow.call('putMany', [['a', 1]])
  await eventually('it is writing', () => table.isNoted('frozen'))
  slow.pause()
  const other = await open({ namespace, url, death: 'none', holdMs: 300 })
  await other.call('putMany', [['a', 2]])
  await eventually('the other has written', async () => (await table.rows())['a'] === '2')
  await table.note('go')
  slow.resume()
  await eventually('the old batch is refused', async () => (await table.refused()) > 0)
  expect((await table.rows())['a']).toBe('2')
  expect(stepsBack(await table.log())).toEqual([])
}, 60_000)

it('two processes that are killed and started again, while the table and the store are away at times, end with the last values', async () => {
  const seed = testSeed()
  const random = randomFrom(seed)
  const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
  onTestFinished(() => redis.stop())
  const namespace = freshNamespace()
  const table = openTable(namespace)
  const init = { namespace, url: redis.url, death: 'none' } as const
  let writers = await Promise.all([open(init), open(init)])
  const keysOf = (of: number): readonly string[] => [`a${of}`, `b${of}`, `c${of}`]
  const last: Record<string, number> = {}
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = (round + 1) * 10_000_000
    const putting = writers.map((each, i) => each.call('putFor', keysOf(i), { from, ms: 1_500 }))
    if (random() < 0.5) {
      const before = await table.missed()
      await table.away(true)
      await eventually('a batch fails', async () => (await table.missed()) > before)
      await table.away(false)
    }
    const victim = await open(init)
    void victim.call('putFor', ['victim'], { from, ms: 10_000 }).catch(() => undefined)
    if (random() < 0.5) {
      await redis.kill()
      await redis.start()
    }
    await victim.kill()
    for (const each of await Promise.all(putting)) Object.assign(last, each)
    const [dying, staying] = random() < 0.5 ? writers : writers.toReversed()
    await dying?.kill()
    const fresh = await open(init)
    writers =
      staying === writers[0] ? [staying as QueueWorker, fresh] : [fresh, staying as QueueWorker]
  }
  await eventually(
    'the last values are written',
    async () => {
      const rows = await table.rows()
      for (const [key, value] of Object.entries(last)) expect(rows[key], key).toBe(String(value))
      return true
    },
    30_000,
  )
  expect(stepsBack(await table.log())).toEqual([])
}, 600_000)

function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
