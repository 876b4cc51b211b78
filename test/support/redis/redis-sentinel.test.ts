import { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { startSentinel } from './redis-sentinel.ts'
import { roleOf } from './replication.ts'

it.concurrent('a client follows the master through a request and a crash', async () => {
  await using group = await startSentinel()
  const client = new Redis({ sentinels: group.sentinelAddresses, name: group.name })
  client.on('error', () => {})
  await client.set('a', '1')
  const first = await group.master()

  const second = await group.failover()
  expect(second).not.toBe(first)
  await eventually('the old master follows', async () => (await roleOf(first)) === 'slave')
  await eventually('the client writes to the new master', async () => {
    await client.set('b', '2')
    return (await second.command('GET', 'b')) === '2'
  })

  const third = await group.failover('crash')
  expect(third).toBe(first)
  expect(second.isRunning).toBe(false)
  await eventually('the client writes again', () => client.set('c', '3'))
  client.disconnect()
})

it.concurrent('three sentinels agree on the new master', async () => {
  await using group = await startSentinel({ sentinels: 3 })
  const old = await group.master()
  const heir = await group.failover('crash')
  expect(heir).not.toBe(old)
  await old.restart()
  await eventually(
    'the old master comes back as a replica',
    async () => (await roleOf(old)) === 'slave',
    30_000,
  )
})

it('refuses a number of sentinels that it does not know', async () => {
  await expect(startSentinel({ sentinels: 4 })).rejects.toThrow(
    'sentinels must be 1, 2 or 3, got 4',
  )
})
