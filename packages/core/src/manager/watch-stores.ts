/** Watches a manager's stores and providers, and reports what happens to them. */

import type { CacheNode } from '../cache/node.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { logOutages } from './outage-log.ts'
import { StoreWatch } from './store-watch.ts'

export function watchStores(options: ResolvedManagerOptions, node: CacheNode): StoreWatch {
  const { events, clock, remote } = node
  logOutages(events, options.namespace, options.logger)
  const watch = new StoreWatch({ events, clock, isReady: () => remote?.store.ready !== false })
  const { locks, limits, sessions, boards, streams } = options
  for (const told of [
    options.remote,
    options.remote?.locks,
    options.remote?.limits,
    options.remote?.sessions,
    options.remote?.boards,
    options.remote?.streams,
    locks,
    limits,
    sessions,
    boards,
    streams,
  ]) {
    told?.onTrouble?.((error) => watch.note(error))
  }
  return watch
}
