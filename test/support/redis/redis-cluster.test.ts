import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { type RedisCluster, startCluster } from './redis-cluster.ts'
import type { RedisServer } from './redis-server.ts'

const keys = Array.from({ length: 60 }, (_, index) => `key:${index}`)

describe('a cluster of three masters with a replica each', () => {
  let cluster: RedisCluster
  let client: Cluster

  beforeAll(async () => {
    cluster = await startCluster({ replicasPerMaster: 1 })
    client = new Cluster(cluster.startupNodes)
  })
  afterAll(async () => {
    client?.disconnect()
    await cluster?.stop()
  })

  it('spreads keys over all masters', async () => {
    await Promise.all(keys.map((key) => client.set(key, key)))
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys)
    const masters = await cluster.masters()
    const sizes = await Promise.all(masters.map((master) => master.command('DBSIZE')))
    expect(masters).toHaveLength(3)
    expect(sizes.every((size) => Number(size) > 0)).toBe(true)
  })

  it('moves a slot with its keys', async () => {
    const { slot, from, to } = await moveOf('{moved}')
    await Promise.all([1, 2, 3].map((n) => client.set(`{moved}:${n}`, `${n}`)))
    await cluster.migrateSlot(slot, from, to)
    expect(await cluster.masterOf(slot)).toBe(to)
    expect(await to.command('CLUSTER', 'COUNTKEYSINSLOT', slot)).toBe(3)
    expect(await client.get('{moved}:2')).toBe('2')
  })

  it('answers ASK while a slot is on its way', async () => {
    const { slot, from, to } = await moveOf('{asked}')
    await Promise.all([1, 2].map((n) => client.set(`{asked}:${n}`, `${n}`)))
    const migration = await cluster.beginMigration(slot, from, to)
    expect(await migration.moveKeys(1)).toBe(1)
    const answers = await Promise.all(
      [1, 2].map((n) => from.command('GET', `{asked}:${n}`).catch((error: Error) => error.message)),
    )
    expect(answers.filter((answer) => String(answer).startsWith(`ASK ${slot}`))).toHaveLength(1)
    expect(await migration.moveKeys()).toBe(1)
    await migration.finish()
    expect(await cluster.masterOf(slot)).toBe(to)
  })

  it('hands a master over to its replica without losing a key', async () => {
    const [master] = (await cluster.masters()) as [RedisServer]
    await client.set('{handover}', 'v')
    const heir = await cluster.failover(master)
    const masters = await cluster.masters()
    expect(masters).toContain(heir)
    expect(masters).not.toContain(master)
    await eventually(
      'the client finds every key',
      async () => (await client.get('{handover}')) === 'v',
    )
  })

  it('lets a replica take over from a master that was killed', async () => {
    const [, master] = (await cluster.masters()) as [RedisServer, RedisServer]
    await master.kill()
    const heir = await cluster.failover(master, 'takeover')
    expect(await cluster.masters()).toContain(heir)
    await master.restart()
    await eventually('the old master follows', async () =>
      String(await master.command('ROLE')).startsWith('slave'),
    )
  })

  async function moveOf(
    key: string,
  ): Promise<{ slot: number; from: RedisServer; to: RedisServer }> {
    const slot = await cluster.slotOf(key)
    const from = await cluster.masterOf(slot)
    const to = (await cluster.masters()).find((node) => node !== from) as RedisServer
    return { slot, from, to }
  }
})
