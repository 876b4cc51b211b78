/** What tools get of a manager, behind `INTERNALS`: where it keeps things, and how its values are read. */

import type { CacheNode } from '../cache/node.ts'
import { storedValue } from '../cache/stored-value.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'

export interface ForTools {
  /** What the manager was given to keep things in. */
  stores(): Pick<ResolvedManagerOptions, 'remote' | 'locks' | 'limits' | 'sessions'>
  /** Reads the value of a stored entry, by its full key. @throws what the codec or a codec step threw */
  storedValue(key: string, bytes: Uint8Array): Promise<unknown>
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
  }
}
