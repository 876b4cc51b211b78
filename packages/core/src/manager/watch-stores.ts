/** Watches a manager's stores and providers, and reports what happens to them. */

import type { CacheNode } from '../cache/node.ts'
import { PROVIDER_KINDS } from '../options/providers.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { logOutages } from './outage-log.ts'
import { StoreWatch } from './store-watch.ts'

export function watchStores(options: ResolvedManagerOptions, node: CacheNode): StoreWatch {
  const { events, clock, remote } = node
  logOutages(events, options.namespace, options.logger)
  const watch = new StoreWatch({ events, clock, isReady: () => remote?.store.ready !== false })
  const { remote: shared, local } = options
  const providers = PROVIDER_KINDS.flatMap((kind) => [shared?.[kind], local?.[kind], options[kind]])
  for (const told of [shared, ...providers]) {
    told?.onTrouble?.((error) => watch.note(error))
  }
  return watch
}
