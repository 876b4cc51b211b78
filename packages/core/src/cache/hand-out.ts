/** Gives a caller its value; with `isolation: 'cloned'`, a copy of its own. */

import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'

/** Returns a promise of the value, or of a copy where the policy asks for one. */
export function handOut(
  value: unknown,
  call: Pick<ReadCall, 'policy'>,
  node: CacheNode,
): Promise<unknown> {
  const promise = value instanceof Promise ? value : Promise.resolve(value)
  return call.policy.isolation === 'cloned' ? promise.then((found) => copy(found, node)) : promise
}

function copy(value: unknown, node: CacheNode): unknown {
  if (typeof value !== 'object' || value === null) return value
  const codec = node.values?.codec
  // The codec knows registered classes; the structured clone would turn their instances into plain objects.
  return codec === undefined ? structuredClone(value) : codec.decode(codec.encode(value))
}
