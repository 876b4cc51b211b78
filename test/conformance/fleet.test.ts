/** Both providers of fleets do what every one must. */

import type { FleetProvider } from '@larder/core/store'
import { fleetCases, runCases } from '@larder/core/testing'
import { localFleet } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { describe, inject, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'

/** Its connection is the store's, which closes with it here. */
function redisFleet(): FleetProvider {
  const store = redisStore({ url: inject('redisUrl') })
  const fleet = store.fleet as FleetProvider
  return {
    name: fleet.name,
    capabilities: fleet.capabilities,
    open: (namespace) => fleet.open(namespace),
    beat: (heartbeat) => fleet.beat(heartbeat),
    leave: (node) => fleet.leave(node),
    list: () => fleet.list(),
    close: () => store.close(),
  }
}

describe('the fleet of redisStore', () => {
  runCases(
    fleetCases(() => ({ fleets: [redisFleet(), redisFleet()], namespace: freshNamespace() })),
    { test },
  )
})

describe('localFleet', () => {
  runCases(
    fleetCases(() => {
      const fleet = localFleet()
      return { fleets: [fleet, fleet], namespace: freshNamespace() }
    }),
    { test },
  )
})
