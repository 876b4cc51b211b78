import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { KeptHeartbeat } from '../contracts/fleet-provider.ts'
import { ReadCounters } from '../stats/stats.ts'
import { fleetOf } from './fleet.ts'
import type { NodeReport } from './node-report.ts'
import { packReport } from './pack-report.ts'

const NOW_MS = Date.parse('2026-01-01T00:00:00Z')

interface Said extends Partial<NodeReport> {
  readonly loadsMs?: readonly number[]
  readonly caches?: Readonly<Record<string, number>>
}

function heartbeat(node: string, said: Said = {}, ageMs = 0): KeptHeartbeat {
  const { loadsMs = [], caches = {}, ...given } = said
  const total = new ReadCounters()
  total.localHits = 10
  total.misses = loadsMs.length
  for (const ms of loadsMs) total.loadMs.record(ms)
  const byCache = new Map(
    Object.entries(caches).map(([name, hits]) => {
      const counters = new ReadCounters()
      counters.localHits = hits
      return [name, counters] as const
    }),
  )
  const report: NodeReport = {
    name: null,
    host: 'h',
    pid: 1,
    versions: { larder: '1.0.0', node: '22.0.0' },
    everyMs: 5_000,
    uptimeMs: 60_000,
    loopBusy: 0,
    status: {
      state: 'up',
      health: 'up',
      problems: [],
      bus: 'up',
      busGaps: { noticed: 0, unrecovered: 0 },
      calls: { failed: 0, skipped: 0 },
      coherence: {
        state: 'verified',
        forMs: null,
        confirmedAgoMs: 1,
        partitions: { verified: 64, all: 64 },
      },
      breakers: [],
      recoveryQueue: { waiting: 0, values: 0, escalated: 'none' },
    },
    counted: { total, byCache, tagEvictions: 1, localEntries: 2, localBytes: 3 },
    ...given,
  }
  return { node, report: packReport(report), ageMs, leftMs: 15_000 - ageMs }
}

it('a latency of the fleet is that of all loads, as if one node had measured them', async () => {
  const one = [1, 2, 3, 40_000]
  const two = [0.01, 2.5, 700]
  const { total } = await fleetOf(
    {
      nowMs: NOW_MS,
      heartbeats: [heartbeat('a', { loadsMs: one }), heartbeat('b', { loadsMs: two })],
    },
    null,
  )
  const together = new ReadCounters()
  for (const ms of [...one, ...two]) together.loadMs.record(ms)
  const { sumMs, meanMs, ...exact } = together.loadMs.summary()
  expect(total.loadLatency).toMatchObject(exact)
  expect(total.loadLatency.sumMs).toBeCloseTo(sumMs, 2)
  expect(total.loadLatency.meanMs).toBeCloseTo(meanMs, 2)
})

it('what can be added is added, and the ratio is that of the sums', async () => {
  const { total, nodes } = await fleetOf(
    {
      nowMs: NOW_MS,
      heartbeats: [
        heartbeat('a', { loadsMs: Array(30).fill(1), caches: { x: 1, y: 2 } }),
        heartbeat('b', { caches: { y: 3, __proto__: 4, constructor: 5 } }),
      ],
    },
    null,
  )
  expect(nodes.map(({ stats }) => stats.hitRatio)).toEqual([0.25, 1])
  expect(total).toMatchObject({
    localHits: 20,
    misses: 30,
    hitRatio: 0.4,
    tagEvictions: 2,
    localEntries: 4,
    localBytes: 6,
  })
  const hits = Object.entries(total.byCache).map(([name, { localHits }]) => [name, localHits])
  expect(hits).toEqual([
    ['y', 5],
    ['x', 1],
    ['constructor', 5],
  ])
})

it('a node whose heartbeat is overdue is late, by how often it reports itself', async () => {
  const heartbeats = [
    heartbeat('new', {}, 0),
    heartbeat('jittered', {}, 7_500),
    heartbeat('overdue', {}, 7_501),
    heartbeat('seldom', { everyMs: 60_000 }, 14_000),
  ]
  const { nodes } = await fleetOf({ nowMs: NOW_MS, heartbeats }, null)
  expect(Object.fromEntries(nodes.map(({ id, state }) => [id, state]))).toEqual({
    new: 'up',
    jittered: 'up',
    overdue: 'late',
    seldom: 'up',
  })
})

it("says when a node was made by the store's clock, whatever the node's own shows", async () => {
  const [node] = (await fleetOf({ nowMs: NOW_MS, heartbeats: [heartbeat('a', {}, 1_000)] }, null))
    .nodes
  expect(node).toMatchObject({
    startedAt: '2025-12-31T23:58:59.000Z',
    ageMs: 1_000,
    leftMs: 14_000,
  })
  const old = heartbeat('a', { uptimeMs: Number.MAX_VALUE })
  expect((await fleetOf({ nowMs: NOW_MS, heartbeats: [old] }, null)).nodes[0]?.startedAt).toBe(
    '1970-01-01T00:00:00.000Z',
  )
})

it('nodes come by name, then the oldest first; those that cannot be read are counted', async () => {
  const heartbeats = [
    heartbeat('d', { name: 'worker' }),
    heartbeat('c', { name: 'api', uptimeMs: 1 }),
    { ...heartbeat('x'), report: '{"form":9}' },
    heartbeat('b', { name: 'api', uptimeMs: 9_999 }),
    heartbeat('a'),
  ]
  const fleet = await fleetOf({ nowMs: NOW_MS, heartbeats }, 'c')
  expect(fleet.nodes.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
  expect(fleet).toMatchObject({ unreadable: 1, self: 'c' })
  expect((await fleetOf({ nowMs: NOW_MS, heartbeats }, 'gone')).self).toBeNull()
})

it('is plain JSON', async () => {
  const fleet = await fleetOf(
    { nowMs: NOW_MS, heartbeats: [heartbeat('a', { caches: { x: 1 } })] },
    'a',
  )
  expect(JSON.parse(JSON.stringify(fleet))).toEqual(fleet)
})

it('nobody is a fleet, too', async () => {
  const fleet = await fleetOf({ nowMs: NOW_MS, heartbeats: [] }, null)
  expect(fleet).toMatchObject({ nodes: [], unreadable: 0, self: null })
  expect(fleet.total).toMatchObject({ localHits: 0, hitRatio: 0, byCache: {} })
})

it('tells a bounded number of caches apart', async () => {
  const heartbeats = Array.from({ length: 60 }, (_, node) =>
    heartbeat(`n${node}`, {
      caches: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`c${node}-${i}`, 1])),
    }),
  )
  const { byCache } = (await fleetOf({ nowMs: NOW_MS, heartbeats }, null)).total
  expect(Object.keys(byCache).length).toBeLessThanOrEqual(1_001)
  const hits = Object.values(byCache).reduce((sum, { localHits }) => sum + localHits, 0)
  expect(hits).toBe(60 * 40)
})

it('gives way to other work while it reads many', async () => {
  const heartbeats = Array.from({ length: 50 }, (_, i) => heartbeat(`n${i}`))
  let isDone = false
  let turns = 0
  const reading = fleetOf({ nowMs: NOW_MS, heartbeats }, null).then(() => {
    isDone = true
  })
  while (!isDone) {
    await turnOfTheLoop()
    turns += 1
  }
  await reading
  expect(turns).toBeGreaterThan(10)
})
