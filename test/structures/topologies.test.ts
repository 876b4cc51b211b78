/** Structures behind Sentinel: what was copied is there after a failover, nothing is made up meanwhile, and copies in the process are true. */

import { StructureUnavailableError } from '@larder/core'
import { createMap } from '@larder/plugins/structures'
import { redisStore } from '@larder/redis-store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisSentinel, startSentinel } from '../support/redis/redis-sentinel.ts'
import { openStructures } from './support/stage.ts'

const ROOM_MS = 30_000

let sentinel: RedisSentinel
beforeAll(async () => {
  sentinel = await startSentinel()
}, 60_000)
afterAll(() => sentinel.stop())

it.each(['request', 'crash'] as const)(
  'a failover (%s) keeps what its replica had, and answers nothing else meanwhile',
  async (how) => {
    const namespace = freshNamespace()
    const open = () => {
      const options = { sentinels: [...sentinel.sentinelAddresses], name: sentinel.name }
      const caches = openStructures('in process', { namespace, remote: redisStore({ options }) })
      return createMap<Record<string, number>>(caches, { name: 'm', ttl: '1h', localCopy: '10m' })
    }
    const [map, copied] = [open(), open()]
    await eventually('the store answers', () => map.set('u', { a: 1, b: 2 }), ROOM_MS)
    await eventually('the other one, too', () => copied.getAll('u'), ROOM_MS)
    const master = await sentinel.master()
    expect(Number(await master.command('WAIT', '1', '20000'))).toBe(1)
    let isOver = false
    const failover = sentinel.failover(how).finally(() => {
      isOver = true
    })
    while (!isOver) {
      for (const each of [map, copied]) {
        const now = await each.getAll('u').catch((error: unknown) => error)
        if (now instanceof StructureUnavailableError)
          await new Promise((done) => setImmediate(done))
        else expect(now).toEqual({ a: 1, b: 2 })
      }
    }
    await failover
    // A version from before the failover still holds: the update is made once.
    await eventually('the new master takes changes', () => map.set('u', { c: 3 }), ROOM_MS)
    expect(await map.update('u', 'a', (a = 0) => a + 1)).toBe(2)
    expect(await map.getAll('u')).toEqual({ b: 2, c: 3, a: 2 })
    await eventually('the copy follows', async () => (await copied.get('u', 'a')) === 2, ROOM_MS)
    expect(await copied.getAll('u')).toEqual({ b: 2, c: 3, a: 2 })
    if (how === 'crash') await master.start()
  },
  120_000,
)
