/** Gives a caller its value; with `isolation: 'cloned'`, a copy of its own. */

import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import { ownCopy } from './value-forms.ts'

/** Returns a promise of the value, or of a copy where the policy asks for one. What a load fails with stays as it is. */
export function handOut(
  value: unknown,
  call: Pick<ReadCall, 'policy'>,
  node: Pick<CacheNode, 'copyValue'>,
): Promise<unknown> {
  const promise = value instanceof Promise ? value : Promise.resolve(value)
  const { policy } = call
  return policy.isolation === 'cloned'
    ? promise.then((found) => ownCopy(node, policy, found))
    : promise
}

/** The same for a caller who did not begin the load: what that fails with is copied, too. */
export function handOutShared(
  promise: Promise<unknown>,
  call: Pick<ReadCall, 'policy'>,
  node: Pick<CacheNode, 'copyValue'>,
): Promise<unknown> {
  if (call.policy.isolation !== 'cloned') return promise
  return handOut(promise, call, node).catch((error: unknown) => rejectedError(error, call, node))
}

/** Rejects with an error that was remembered or belongs to others. */
export function rejectedError(
  error: unknown,
  { policy }: Pick<ReadCall, 'policy'>,
  node: Pick<CacheNode, 'copyValue'>,
): Promise<never> {
  return Promise.reject(policy.isolation === 'cloned' ? node.copyValue(error) : error)
}
