/** All event-store providers do what every one must. */

import { eventStoreCases, runCases } from '@larder/core/testing'
import { localEventStore, lruStore } from '@larder/local-store'
import { redisEventStore } from '@larder/redis-store'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'

describe('redisEventStore', () => {
  const make = () => redisEventStore({ url: inject('redisUrl') })
  runCases(
    eventStoreCases(() => ({ stores: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe('redisEventStore on a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())
  const make = () => redisEventStore({ cluster: [...cluster.startupNodes] })
  runCases(
    eventStoreCases(() => ({ stores: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe.each([
  ['localEventStore', () => localEventStore()],
  ['the event-store provider of lruStore', () => lruStore().eventStore ?? localEventStore()],
])('%s', (_, make) => {
  runCases(
    eventStoreCases(() => ({ stores: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})
