/** All topic providers do what every one must. */

import { runCases, topicCases } from '@larder/core/testing'
import { localTopics, lruStore } from '@larder/local-store'
import { redisTopics } from '@larder/redis-store'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'

describe('redisTopics', () => {
  const make = () => redisTopics({ url: inject('redisUrl') })
  runCases(
    topicCases(() => ({ topics: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe('redisTopics on a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())
  const make = () => redisTopics({ cluster: [...cluster.startupNodes] })
  runCases(
    topicCases(() => ({ topics: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe.each([
  ['localTopics', () => localTopics()],
  ['the topic provider of lruStore', () => lruStore().topics ?? localTopics()],
])('%s', (_, make) => {
  runCases(
    topicCases(() => ({ topics: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})
