/** All providers of sessions do what every one must. */

import { runCases, sessionStoreCases } from '@larder/core/testing'
import { localSessions, lruStore } from '@larder/local-store'
import { redisSessions } from '@larder/redis-store'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'

describe('redisSessions', () => {
  const make = () => redisSessions({ url: inject('redisUrl') })
  runCases(
    sessionStoreCases(() => ({ sessions: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe('redisSessions on a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())
  const make = () => redisSessions({ cluster: [...cluster.startupNodes] })
  runCases(
    sessionStoreCases(() => ({ sessions: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe.each([
  ['localSessions', () => localSessions()],
  ['the sessions of lruStore', () => lruStore().sessions ?? localSessions()],
])('%s', (_, make) => {
  runCases(
    sessionStoreCases(() => ({ sessions: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})
