/**
 * Puts of values that were queued for writing.
 *
 * Several processes queue values of one key, and put them afterwards: the order of the puts need not be that of the queue. So a
 * put begins before its value is queued. Where the key was changed since, this one may be the older one or the newer one, and
 * the key is evicted: the next load asks the queue, which knows the order.
 */

import { INTERNALS } from '../contracts/internals.ts'
import type { Key } from '../keys/key-text.ts'
import type { Cache } from './cache.ts'
import { assertReached } from './eviction-outcome.ts'
import type { PutFence } from './put-fence.ts'

export interface QueuedPut {
  readonly key: Key
  readonly value: unknown
  /** Begun before the value was queued; it is for this put alone, which ends it. */
  readonly begun: PutFence
}

/** Begins one put. */
export async function beginQueuedPut(cache: Cache<unknown>): Promise<PutFence> {
  return cache[INTERNALS].parts.puts.begin()
}

/** @throws as `cache.set` and `cache.evict` */
export async function putQueued(cache: Cache<unknown>, put: QueuedPut): Promise<void> {
  const { key, value, begun } = put
  const calls = cache[INTERNALS]
  const { puts, policy } = calls.parts
  const result = await puts.put({ call: calls.of(key), value, begun })
  assertReached(result, policy.onRemoteFailure, `a key of ${cache.name}`)
  if (result.outcome === 'not-kept' && result.cause === undefined) await cache.evict(key)
}
