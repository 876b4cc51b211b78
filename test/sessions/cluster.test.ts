/** Sessions on a Cluster: what concerns a user is on one master, whichever process asks. */

import { redisStore } from '@larder/redis-store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'
import { openSessions } from './support/stage.ts'

describe('a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())

  const open = (namespace: string) =>
    openSessions('on Redis', {
      namespace,
      remote: redisStore({ cluster: [...cluster.startupNodes] }),
    })

  it('has users on all masters, and ends all of one in one step, moved ones too', async () => {
    const namespace = freshNamespace()
    const [one, other] = [open(namespace), open(namespace)]
    const users = Array.from({ length: 30 }, (_, i) => `user-${i}`)
    await Promise.all(
      users.map(async (userId) => {
        await one.sessions.login(undefined, userId)
        const moved = await one.sessions.create({})
        // The other process does not know that it moved.
        await one.sessions.save(moved.id, { userId })
        expect((await other.sessions.get(moved.id))?.data).toEqual({ userId })
        await other.sessions.save(moved.id, { userId, visits: 1 })
        const late = await one.sessions.list(userId)
        expect(late).toHaveLength(2)
        expect(await other.sessions.destroyAll(userId)).toBe(2)
        for (const { id } of late) {
          expect(await one.sessions.get(id)).toBeUndefined()
          expect(await one.sessions.save(id, { userId })).toBe(false)
          expect(await other.sessions.save(id, { userId })).toBe(false)
        }
      }),
    )
    expect(one.failures).toEqual([])
    const sizes = await Promise.all(
      (await cluster.masters()).map((master) => master.command('DBSIZE').then(Number)),
    )
    for (const size of sizes) expect(size).toBeGreaterThan(0)
  })
})
