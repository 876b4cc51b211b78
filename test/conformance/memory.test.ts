/** The in-memory model does what every remote store must: in real time, in time moved by hand, and behind fault switches. */

import {
  busCases,
  engineCases,
  faultyBus,
  faultyRemoteStore,
  ManualClock,
  MemoryServer,
  remoteStoreCases,
  runCases,
} from '@larder/core/testing'
import { describe, test } from 'vitest'

const namespace = 'conformance'

describe('MemoryServer, in real time', () => {
  const makeStores = () => {
    const server = new MemoryServer()
    return { stores: [server.store(), server.store()] as const, namespace }
  }
  runCases(remoteStoreCases(makeStores), { test })
  runCases(engineCases(makeStores), { test })
})

describe('MemoryServer, on a manual clock', () => {
  runCases(
    remoteStoreCases(() => {
      const clock = new ManualClock()
      const server = new MemoryServer({ clock })
      return {
        stores: [server.store(), server.store()],
        namespace,
        advance: (ms) => clock.advanceAsync(ms),
      }
    }),
    { test },
  )
})

describe('MemoryServer, behind fault switches that are off', () => {
  runCases(
    remoteStoreCases(() => {
      const server = new MemoryServer()
      const wrapped = () => {
        const store = server.store()
        return faultyRemoteStore(store, { bus: faultyBus(store.bus) })
      }
      return { stores: [wrapped(), wrapped()], namespace }
    }),
    { test },
  )
})

describe('the bus of MemoryServer', () => {
  runCases(
    busCases(() => {
      const server = new MemoryServer()
      return {
        buses: [server.store().bus, server.store().bus],
        namespace,
        publish: async (space, message) => server.publish(space, message),
        unreachable: () => {
          const store = server.store()
          store.disconnect()
          return store.bus
        },
      }
    }),
    { test },
  )
})
