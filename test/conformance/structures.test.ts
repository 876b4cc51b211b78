/** All structure providers do what every one must. */

import { runCases, structureCases } from '@larder/core/testing'
import { localStructures, lruStore } from '@larder/local-store'
import { redisStructures } from '@larder/redis-store'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'

describe('redisStructures', () => {
  const make = () => redisStructures({ url: inject('redisUrl') })
  runCases(
    structureCases(() => ({ structures: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe('redisStructures on a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())
  const make = () => redisStructures({ cluster: [...cluster.startupNodes] })
  runCases(
    structureCases(() => ({ structures: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe.each([
  ['localStructures', () => localStructures()],
  ['the structures of lruStore', () => lruStore().structures ?? localStructures()],
])('%s', (_, make) => {
  runCases(
    structureCases(() => ({ structures: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})
