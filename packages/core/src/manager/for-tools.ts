/** What tools get of a manager, behind `INTERNALS`: where it keeps things, and how its values are read. */

import type { CacheNode } from '../cache/node.ts'
import { storedValue } from '../cache/stored-value.ts'
import type { Clock } from '../contracts/clock.ts'
import type { ProviderKind } from '../contracts/providers.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'

export interface ForTools {
  /** What the manager was given to keep things in. */
  stores(): Pick<ResolvedManagerOptions, 'remote' | ProviderKind>
  /** Reads the value of a stored entry, by its full key. @throws what the codec or a codec step threw */
  storedValue(key: string, bytes: Uint8Array): Promise<unknown>
  /** The instant on the clock that all nodes have in common, ms since the epoch: the store's, or this machine's where there is none. */
  commonNow(): number
  /** Runs a task once, on the manager's clock. */
  schedule: Clock['schedule']
}

/** `parts` is asked when something is asked for: a manager makes this before it has them. */
export function forTools(
  parts: () => { readonly options: ResolvedManagerOptions; readonly node: CacheNode },
): ForTools {
  return {
    stores: () => parts().options,
    storedValue: async (key, bytes) => {
      const { values } = parts().node
      return values === undefined ? undefined : storedValue(values, key, bytes)
    },
    commonNow() {
      const { clock, knowledge } = parts().node
      const { server } = knowledge
      return server.isKnown ? clock.now() - server.toLocal(0) : (clock.wall?.() ?? Date.now())
    },
    schedule: (delayMs, task, waiter) => parts().node.clock.schedule(delayMs, task, waiter),
  }
}
