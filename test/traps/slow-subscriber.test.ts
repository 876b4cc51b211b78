/** Redis drops a subscriber that does not read: its output buffer is bounded. What such a node missed is in the logs. */

import { expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { startFleet } from './node-processes.ts'

const LIMIT = 'pubsub 4mb 0 0'
/** Far below the limit, so that only who does not read comes to it; what the operating system holds back fills as well. */
const PADDING = 'x'.repeat(500_000)

async function subscribers(server: RedisServer): Promise<number> {
  const list = String(await server.command('CLIENT', 'LIST', 'TYPE', 'pubsub'))
  return list.split('\n').filter((line) => line !== '').length
}

it('a process that was blocked until Redis dropped it comes back by the logs', async () => {
  await using server = await startRedis({ args: ['--client-output-buffer-limit', LIMIT] })
  const fleet = await startFleet(2, server.url)
  const [a, b] = fleet.nodes
  await fleet.setSource('old')
  for (const key of ['before', 'after', 'tagged'])
    expect(await b?.order({ order: 'load', key })).toBe('old')
  const [channel = ''] = (await server.command('PUBSUB', 'CHANNELS', '*:bus:*')) as string[]
  expect(await subscribers(server)).toBe(2)

  b?.child.kill('SIGSTOP')
  await fleet.setSource('new')
  await a?.order({ order: 'evict', key: 'before' })
  await eventually('Redis drops the one that does not read', async () => {
    await server.command('PUBLISH', channel, PADDING)
    return (await subscribers(server)) === 1
  })
  await a?.order({ order: 'evict', key: 'after' })
  await a?.order({ order: 'evict-tag' })
  b?.child.kill('SIGCONT')

  await eventually('it serves the new values', async () => {
    const keys = ['before', 'after', 'tagged']
    const values = await Promise.all(keys.map((key) => b?.order({ order: 'load', key })))
    return values.every((value) => value === 'new')
  })
  await eventually('it is subscribed again', async () => (await subscribers(server)) === 2)
})
