/** All board providers do what every one must. */

import { boardCases, runCases } from '@larder/core/testing'
import { localBoards, lruStore } from '@larder/local-store'
import { redisBoards } from '@larder/redis-store'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'

describe('redisBoards', () => {
  const make = () => redisBoards({ url: inject('redisUrl') })
  runCases(
    boardCases(() => ({ boards: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe('redisBoards on a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())
  const make = () => redisBoards({ cluster: [...cluster.startupNodes] })
  runCases(
    boardCases(() => ({ boards: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe.each([
  ['localBoards', () => localBoards()],
  ['the boards of lruStore', () => lruStore().boards ?? localBoards()],
])('%s', (_, make) => {
  runCases(
    boardCases(() => ({ boards: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})
