/** All providers of write queues do what every one must. */

import { runCases, writeCases } from '@larder/core/testing'
import { localWrites, lruStore } from '@larder/local-store'
import { redisWrites } from '@larder/redis-store'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'

describe('redisWrites', () => {
  const make = () => redisWrites({ url: inject('redisUrl') })
  runCases(
    writeCases(() => ({ writes: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe('redisWrites on a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())
  const make = () => redisWrites({ cluster: [...cluster.startupNodes] })
  runCases(
    writeCases(() => ({ writes: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe.each([
  ['localWrites', () => localWrites()],
  ['the write queues of lruStore', () => lruStore().writes ?? localWrites()],
])('%s', (_, make) => {
  runCases(
    writeCases(() => ({ writes: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})
