/** Which namespaces there are, told by the form of their keys. */

import { type Looked, mapScan, type ScanOptions, scanServers } from './scan.ts'
import type { InspectedServer } from './server.ts'

export interface NamespaceRow {
  readonly namespace: string
  /** How many keys of it were found in this step; a key may be found twice. */
  readonly keys: number
}

/** As `key-layout.ts` makes them: the namespace, then a partition or what else it is. */
const OURS =
  /^\{([A-Za-z0-9_.-]{1,64}):(\d{1,2}\}|(?:tags|store)\}$|nodes\}(?::heartbeats)?$|(?:lock|limit|session|fenced):)/

export function scanNamespaces(
  servers: readonly InspectedServer[],
  options: ScanOptions,
): AsyncGenerator<Looked<NamespaceRow>, void, undefined> {
  return mapScan(scanServers(servers, '{*:*}*', options), (keys) => {
    const counts = new Map<string, number>()
    for (const key of keys) {
      const namespace = namespaceOf(key)
      if (namespace !== undefined) counts.set(namespace, (counts.get(namespace) ?? 0) + 1)
    }
    return [...counts].map(([namespace, found]) => ({ namespace, keys: found }))
  })
}

/** The namespace that a key of Redis belongs to; `undefined` for keys of other applications. */
export function namespaceOf(key: string): string | undefined {
  return OURS.exec(key)?.[1]
}
