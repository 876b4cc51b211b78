/** Three processes over a Cluster of three masters, by way of proxies, while processes, slots, masters and network misbehave. */

import { afterAll, beforeAll, expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type ProxyFleet, startProxies } from '../support/proxy/proxy-fleet.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'
import type { RedisServer } from '../support/redis/redis-server.ts'
import { roleOf } from '../support/redis/replication.ts'
import { NETWORK_FAULTS } from './network-faults.ts'
import { type ProcessHistory, startHistory, testHistory, timed } from './process-history.ts'
import { SERVER_FAULTS } from './server-faults.ts'

const SLOTS_MOVED = 6
/** Part of the keys here, part there: the tag clock's slot, and one with entries. */
const SLOTS_HELD_OPEN = 2

let cluster: RedisCluster
let fleet: ProxyFleet
beforeAll(async () => {
  cluster = await startCluster({ masters: 3, replicasPerMaster: 1 })
  fleet = await startProxies(cluster.nodes)
}, 120_000)
afterAll(async () => {
  await fleet.stop()
  await cluster.stop()
})

function start(seed: number): Promise<ProcessHistory> {
  const { startupNodes: nodes, natMap } = fleet
  return startHistory({ kind: 'cluster', nodes, natMap }, seed)
}

testHistory('a process is stopped while it loads, then one is killed', async ({ seed }) => {
  const history = await start(seed)
  await history.stopWhileItLoads(0)
  await history.goOn()
  await history.killWhileItLoads(1)
  await history.goOn()
  await history.judge('Cluster: a process stopped, one killed')
})

testHistory(
  'slots that hold the keys and the tag clock move, two of them slowly',
  async ({ seed }) => {
    const history = await start(seed)
    const [from, to] = (await cluster.masters()) as [RedisServer, RedisServer]
    const slots = await slotsOf(history.namespace, from)
    expect(slots.length).toBeGreaterThan(0)
    for (const [n, slot] of slots.slice(0, SLOTS_MOVED).entries()) {
      const migration = await cluster.beginMigration(slot, from, to)
      await migration.moveKeys(1)
      // Scripts for two keys are put off meanwhile, so that reads are slow.
      if (n < SLOTS_HELD_OPEN) await history.goOn(40)
      await migration.moveKeys()
      await migration.finish()
    }
    await history.goOn()
    await history.judge('Cluster: slots move', { loads: 'own' })
  },
)

testHistory('a master hands over to its replica', async ({ seed, pick }) => {
  const history = await start(seed)
  const master = pick(await cluster.masters())
  const outageMs = await timed(() => cluster.failover(master, 'handover'))
  await history.goOn()
  await history.judge('Cluster: a master hands over', { outageMs, loads: 'own' })
})

testHistory('a master is killed and its replica elected', async ({ seed, pick }) => {
  const history = await start(seed)
  const master = pick(await cluster.masters())
  const outageMs = await timed(() => losesMaster(master))
  await history.goOn()
  await master.start()
  await eventually('it follows', async () => (await roleOf(master)) === 'slave', 20_000)
  await history.goOn()
  await history.judge('Cluster: a master killed', { outageMs, loads: 'own' })
})

testHistory('the network misbehaves in every way', async ({ seed, shuffle }) => {
  const history = await start(seed)
  for (const [, fault] of shuffle(Object.entries(NETWORK_FAULTS))) {
    await fault(fleet.proxies)
    await history.goOn()
  }
  await history.judge('Cluster: the network misbehaves', { loads: 'own' })
})

testHistory('all masters misbehave in every way', async ({ seed, shuffle }) => {
  const history = await start(seed)
  const masters = await cluster.masters()
  for (const [, fault] of shuffle(Object.entries(SERVER_FAULTS))) {
    await fault(masters)
    await history.goOn()
  }
  await history.judge('Cluster: the masters misbehave', { loads: 'uncounted' })
})

/** Kills a master, and waits until everybody lives with its successor. */
async function losesMaster(master: RedisServer): Promise<void> {
  await master.kill()
  await eventually(
    'its replica is elected',
    async () => {
      const masters = await cluster.masters()
      return masters.length === 3 && !masters.includes(master)
    },
    30_000,
  )
  await cluster.settle()
}

/** The slots of a namespace that a master serves: the tag clock's first, then those with the most keys. */
async function slotsOf(namespace: string, master: RedisServer): Promise<readonly number[]> {
  const keys = (await master.command('KEYS', `*${namespace}*`)) as string[]
  const counts = new Map<number, number>()
  for (const key of keys) {
    const slot = await cluster.slotOf(key)
    const weight = key.endsWith('tags') ? Number.POSITIVE_INFINITY : 1
    counts.set(slot, (counts.get(slot) ?? 0) + weight)
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([slot]) => slot)
}
