/** All stream providers do what every one must. */

import { runCases, streamCases } from '@larder/core/testing'
import { localStreams, lruStore } from '@larder/local-store'
import { redisStreams } from '@larder/redis-store'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'

describe('redisStreams', () => {
  const make = () => redisStreams({ url: inject('redisUrl') })
  runCases(
    streamCases(() => ({ streams: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe('redisStreams on a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())
  const make = () => redisStreams({ cluster: [...cluster.startupNodes] })
  runCases(
    streamCases(() => ({ streams: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe.each([
  ['localStreams', () => localStreams()],
  ['the streams of lruStore', () => lruStore().streams ?? localStreams()],
])('%s', (_, make) => {
  runCases(
    streamCases(() => ({ streams: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})
