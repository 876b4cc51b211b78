/** Where a manager's heartbeats are kept. */

import type { FleetProvider } from '../contracts/fleet-provider.ts'
import type { LocalStore } from '../contracts/local-store.ts'
import type { RemoteStore } from '../contracts/remote-store.ts'
import { InvalidOptionError } from '../errors/option-error.ts'

/**
 * The provider of the shared store, or without one that of the local store.
 *
 * @throws InvalidOptionError if there is none. With a shared store that has none, the local one is not used: it knows this process only.
 */
export function fleetProviderOf({
  remote,
  local,
}: {
  readonly remote?: RemoteStore | undefined
  readonly local?: LocalStore | undefined
}): FleetProvider {
  const store = remote ?? local
  if (store?.fleet !== undefined) return store.fleet
  throw new InvalidOptionError({
    option: 'createCacheManager.fleet',
    expected:
      'a store that keeps heartbeats, such as redisStore() or, without a shared one, lruStore()',
    received: store,
    described: store === undefined ? 'no store' : `the store ${store.name}, which does not`,
  })
}
