/** Goes through the entries of a cache that may be served, in both tiers. */

import type { CacheCalls } from './cache-calls.ts'
import { ownOf } from './entry-view.ts'

/**
 * Yields them in no order, each once, as they are while it runs. It does not count as a read, and what it finds is not kept here.
 * Remembered errors are left out. Every key that was seen is remembered until the end.
 *
 * `wantsValues`: without, values are read and not decoded, and come as `undefined`.
 */
export async function* everyEntry(
  calls: CacheCalls,
  wantsValues: boolean,
): AsyncGenerator<readonly [key: string, value: unknown], void, undefined> {
  const { prefix } = calls
  const { writes, reads, node } = calls.parts
  const seen = new Set<string>()
  const how = { fallback: false, traceless: true, valueless: !wantsValues }
  for await (const chunk of writes.keysOf(prefix)) {
    const fullKeys = chunk.filter((key) => key.startsWith(prefix) && !seen.has(key))
    for (const key of fullKeys) seen.add(key)
    const asked = fullKeys.map((key) => calls.at(key))
    const found = await Promise.all(asked.map((call) => reads.looks.find(call, how)))
    for (const [i, call] of asked.entries()) {
      const each = found[i]
      if (typeof each !== 'object' || each.entry.kind === 'error') continue
      const value = wantsValues ? ownOf(each, call, node) : undefined
      yield [call.fullKey.slice(prefix.length), value]
    }
  }
}
