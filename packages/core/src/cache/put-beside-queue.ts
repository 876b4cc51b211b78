/** Puts of values that were read from the source, which may be older than what waits in a write-behind queue. */

import { loadedOf, pendingOf } from './behind-writes.ts'
import type { CacheParts } from './cache-parts.ts'
import type { PutResult } from './put-ends.ts'
import type { ReadCall } from './read-call.ts'

export function putPlain({ puts }: CacheParts, call: ReadCall, value: unknown): Promise<PutResult> {
  return puts.put({ call, value })
}

/** Puts what waits, if something does. What is queued after the look changes the key, and the put gives way to it. */
export async function putBesideQueue(
  { node, puts }: CacheParts,
  call: ReadCall,
  value: unknown,
): Promise<PutResult> {
  if (call.policy.behind === undefined) return puts.put({ call, value })
  const begun = await puts.begin()
  try {
    const pending = await pendingOf(node, call)
    if (pending?.kind === 'unknown') return { outcome: 'not-kept' }
    const newest = pending?.kind === 'value' ? loadedOf(call, pending) : value
    return await puts.put({ call, value: newest, begun })
  } finally {
    begun.end()
  }
}
