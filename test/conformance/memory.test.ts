/** The in-memory model does what every remote store must. */

import { createSystemClock } from '@larder/core'
import { MemoryServer, memoryStore, NAMESPACE, remoteStoreCases, runCases } from '@larder/core/testing'
import { describe, test } from 'vitest'

const ALL = { leases: true, sequences: true, tags: true, publishes: true, scans: true }

describe('memoryStore', () => {
  runCases(
    remoteStoreCases(async () => {
      const server = new MemoryServer(createSystemClock())
      const [a, b] = [memoryStore(server), memoryStore(server)]
      a.open(NAMESPACE)
      b.open(NAMESPACE)
      return { a, b, close: async () => void (await Promise.all([a.close(), b.close()])) }
    }, ALL),
    test,
  )
})
