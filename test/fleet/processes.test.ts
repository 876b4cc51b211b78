/** Nodes in processes of their own see each other, and what becomes of each. */

import { hostname } from 'node:os'
import type { Fleet, FleetNode } from '@larder/core'
import { expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode } from '../support/nodes.ts'
import { startWorker, type WorkerProcess } from '../support/process/worker.ts'
import type { worker } from './fleet.worker.ts'

const ROOM_MS = 60_000

async function startReporter(
  namespace: string,
  name: string,
): Promise<WorkerProcess<typeof worker>> {
  const init = { url: inject('redisUrl'), namespace, name }
  const url = new URL('./fleet.worker.ts', import.meta.url)
  const started = await startWorker<typeof worker>(url, init)
  onTestFinished(() => started.stop())
  return started
}

const named = ({ nodes }: Fleet, name: string): FleetNode | undefined =>
  nodes.find((node) => node.name === name)

it('are listed with who they are, how they stand, what they counted, and the sum', async () => {
  const namespace = freshNamespace()
  const workers = await Promise.all([
    startReporter(namespace, 'api'),
    startReporter(namespace, 'worker'),
  ])
  await workers[0].call('read', 'products', 30)
  await workers[1].call('read', 'products', 10)
  await workers[1].call('read', 'users', 5)
  const fleet = await eventually(
    'both have said it',
    async () => {
      const seen = await workers[0].call('fleet')
      return seen.total.loads === 45 ? seen : undefined
    },
    ROOM_MS,
  )
  expect(fleet.nodes.map(({ name }) => name)).toEqual(['api', 'worker'])
  expect(new Set(fleet.nodes.map(({ id }) => id)).size).toBe(2)
  expect(fleet.self).toBe(named(fleet, 'api')?.id)
  expect(named(fleet, 'api')).toMatchObject({
    state: 'up',
    host: hostname(),
    pid: workers[0].pid,
    versions: { node: process.versions.node },
    everyMs: 2_000,
    status: { health: 'up', coherence: { state: 'verified' }, bus: 'up' },
    stats: { loads: 30, localHits: 30, misses: 30, localEntries: 30 },
  })
  expect(fleet.total).toMatchObject({
    loads: 45,
    localHits: 45,
    hitRatio: 0.5,
    localEntries: 45,
    byCache: { products: { loads: 40 }, users: { loads: 5 } },
  })
  expect(fleet.total.loadLatency.count).toBe(45)
  expect(fleet.total.loadLatency.buckets.at(-1)).toBe(45)
}, 90_000)

it('one that is killed, or frozen, is late and then gone; one that closes is gone at once', async () => {
  const namespace = freshNamespace()
  const asker = startNode({ namespace }).caches
  const [killed, frozen, closed, going] = await Promise.all(
    ['killed', 'frozen', 'closed', 'going'].map((name) => startReporter(namespace, name)),
  )
  if (!killed || !frozen || !closed || !going) throw new Error('four were started')
  const fleet = (): Promise<Fleet> => asker.fleet()
  await eventually('all are there', async () => (await fleet()).nodes.length === 4, ROOM_MS)
  expect((await fleet()).self).toBeNull()

  await closed.stop()
  expect(named(await fleet(), 'closed')).toBeUndefined()

  await killed.kill()
  frozen.pause()
  const states: Record<string, Set<string>> = { killed: new Set(), frozen: new Set() }
  await eventually(
    'both are gone',
    async () => {
      const seen = await fleet()
      for (const [name, set] of Object.entries(states)) set.add(named(seen, name)?.state ?? 'gone')
      return Object.values(states).every((set) => set.has('gone'))
    },
    ROOM_MS,
  )
  for (const set of Object.values(states))
    expect([...set]).toEqual(expect.arrayContaining(['late']))
  expect(named(await fleet(), 'going')?.state).toBeDefined()

  frozen.resume()
  await eventually(
    'it is back',
    async () => named(await fleet(), 'frozen')?.state === 'up',
    ROOM_MS,
  )
}, 120_000)
