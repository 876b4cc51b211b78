/** Three processes behind Sentinel, by way of proxies, while processes, masters and network misbehave. */

import { afterAll, beforeAll } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type ProxyFleet, startProxies } from '../support/proxy/proxy-fleet.ts'
import { type RedisSentinel, startSentinel } from '../support/redis/redis-sentinel.ts'
import type { RedisServer } from '../support/redis/redis-server.ts'
import { roleOf } from '../support/redis/replication.ts'
import { NETWORK_FAULTS } from './network-faults.ts'
import { type ProcessHistory, startHistory, testHistory, timed } from './process-history.ts'
import { SERVER_FAULTS } from './server-faults.ts'

let group: RedisSentinel
let fleet: ProxyFleet
beforeAll(async () => {
  group = await startSentinel()
  fleet = await startProxies([...group.servers, ...group.sentinels])
}, 120_000)
afterAll(async () => {
  await fleet.stop()
  await group.stop()
})

function start(seed: number): Promise<ProcessHistory> {
  const sentinels = group.sentinels.map((sentinel) => {
    const { host, port } = fleet.proxyOf(sentinel)
    return { host, port }
  })
  return startHistory({ kind: 'sentinel', sentinels, name: group.name, natMap: fleet.natMap }, seed)
}

testHistory('a process is stopped while it loads, then one is killed', async ({ seed }) => {
  const history = await start(seed)
  await history.stopWhileItLoads(0)
  await history.goOn()
  await history.killWhileItLoads(1)
  await history.goOn()
  await history.judge('Sentinel: a process stopped, one killed')
})

testHistory('another master is asked for', async ({ seed }) => {
  const history = await start(seed)
  const old = await group.master()
  // The old master goes on to take writes until it is told: what it takes meanwhile is lost.
  const outageMs = await timed(async () => {
    await group.failover('request')
    await follows(old)
  })
  await history.goOn()
  await history.judge('Sentinel: another master asked for', { outageMs, loads: 'own' })
})

testHistory('the master is killed', async ({ seed }) => {
  const history = await start(seed)
  const old = await group.master()
  const outageMs = await timed(() => group.failover('crash'))
  await history.goOn()
  await old.start()
  await follows(old)
  await history.goOn()
  await history.judge('Sentinel: the master killed', { outageMs, loads: 'own' })
})

testHistory('the network misbehaves in every way', async ({ seed, shuffle }) => {
  const history = await start(seed)
  for (const [, fault] of shuffle(Object.entries(NETWORK_FAULTS))) {
    await fault(fleet.proxies)
    await history.goOn()
  }
  await history.judge('Sentinel: the network misbehaves', { loads: 'own' })
})

testHistory('the master misbehaves in every way', async ({ seed, shuffle }) => {
  const history = await start(seed)
  for (const [, fault] of shuffle(Object.entries(SERVER_FAULTS))) {
    await fault([await group.master()])
    await history.goOn()
  }
  await history.judge('Sentinel: the master misbehaves', { loads: 'uncounted' })
})

async function follows(server: RedisServer): Promise<void> {
  await eventually('it follows', async () => (await roleOf(server)) === 'slave', 30_000)
}
