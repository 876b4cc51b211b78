/** All providers of locks do what every one must. */

import { quorumLocks } from '@larder/core'
import { lockCases, runCases } from '@larder/core/testing'
import { localLocks } from '@larder/local-store'
import { redisLocks } from '@larder/redis-store'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'

describe('redisLocks', () => {
  const make = () => redisLocks({ url: inject('redisUrl') })
  runCases(
    lockCases(() => ({ locks: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe('localLocks', () => {
  runCases(
    lockCases(() => {
      const locks = localLocks()
      return { locks: [locks, locks], namespace: freshNamespace() }
    }),
    { test },
  )
})

describe('quorumLocks', () => {
  let servers: readonly RedisServer[] = []
  beforeAll(async () => {
    servers = await Promise.all([startRedis(), startRedis(), startRedis()])
  })
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()))
  })
  const make = () => quorumLocks({ providers: servers.map(({ url }) => redisLocks({ url })) })
  runCases(
    lockCases(() => ({ locks: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})
