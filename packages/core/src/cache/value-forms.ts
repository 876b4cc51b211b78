/**
 * The forms a value takes on its way: as the loader returned it, as the tiers keep it, as the store has it.
 *
 * The rule: a caller cannot tell which tier a value came from. So what is converted for the store (`toPlain`, `fromPlain`) is
 * converted for the local tier and for the first caller too, and what cannot be kept fails, naming the method, the cache
 * and the place in the value.
 */

import { types } from 'node:util'
import { ValueError } from '../errors/value-error.ts'
import type { Policy } from '../options/cache-options.ts'
import type { Keepable } from './keep.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'

/**
 * Returns a result in the form in which it is kept: with `isolation: 'cloned'` apart from the caller's own objects.
 *
 * @throws ValueError when `toPlain` or `fromPlain` throws.
 */
export function takeIn(
  node: Pick<CacheNode, 'copyValue'>,
  call: ReadCall,
  kept: Keepable,
): Keepable {
  const { toPlain, fromPlain, isolation } = call.policy
  const isCloned = isolation === 'cloned'
  if (kept.kind === 'error') {
    return isCloned ? { ...kept, value: node.copyValue(kept.value) } : kept
  }
  if (kept.kind === 'negative') return kept
  if (!isCloned && toPlain === undefined && fromPlain === undefined) return kept
  const given = convert(kept.value, toPlain, 'toPlain', call)
  const plain = isCloned ? node.copyValue(given) : given
  return { ...kept, plain, value: convert(plain, fromPlain, 'fromPlain', call) }
}

/** Returns a copy of a kept value for one caller; the value itself where it cannot be copied. */
export function ownCopy(
  node: Pick<CacheNode, 'copyValue'>,
  policy: Policy,
  value: unknown,
): unknown {
  const { toPlain, fromPlain } = policy
  if (value === undefined || value === null) return value
  if (toPlain === undefined && fromPlain === undefined) return node.copyValue(value)
  try {
    const plain = node.copyValue(toPlain === undefined ? value : toPlain(value as never))
    return fromPlain === undefined ? plain : fromPlain(plain as never)
  } catch {
    // It was kept without trouble: no reason to fail a hit now.
    return value
  }
}

/**
 * Encodes a result for the store, without the plugins' steps. `undefined` for an error that cannot come back the same: this node remembers it alone.
 *
 * @throws ValueError for a value that cannot come back the same.
 */
export function encodeKept(
  node: Pick<CacheNode, 'values'>,
  call: ReadCall,
  kept: Keepable,
): Uint8Array | undefined {
  const codec = node.values?.codec
  if (codec === undefined) return undefined
  try {
    assertOwnClass(kept, (value) => codec.encode(value))
    return codec.encode(plainOf(kept))
  } catch (error) {
    if (kept.kind === 'error') return undefined
    throw placed(error, call)
  }
}

/**
 * In development, holds what is kept in this process alone to what holds with a shared tier.
 *
 * @throws ValueError
 */
export function assertKeepable(
  node: Pick<CacheNode, 'checkValue' | 'local' | 'remote'>,
  call: ReadCall,
  kept: Keepable,
): void {
  const { local, remote } = call.policy
  if (node.checkValue === undefined || !remote || kept.kind !== 'value') return
  // A manager without tiers runs methods as they are.
  if (node.remote === undefined && !(local && node.local !== undefined)) return
  try {
    assertOwnClass(kept, node.checkValue)
    node.checkValue(plainOf(kept))
  } catch (error) {
    throw placed(error, call)
  }
}

/** Undoes `toPlain` for what was decoded. Throws what the user's own function throws. */
export function restored(value: unknown, kind: Keepable['kind'], policy: Policy): unknown {
  const { fromPlain } = policy
  return fromPlain === undefined || kind !== 'value' ? value : fromPlain(value as never)
}

/**
 * An error that a method *returns* is a value like any other, and comes back as what it was or not at all. By itself a codec
 * would take it for what a load failed with, which may come back as a plain `Error`; inside a list it does not.
 *
 * @throws ValueError
 */
function assertOwnClass(kept: Keepable, encode: (value: unknown) => unknown): void {
  const value = plainOf(kept)
  if (kept.kind !== 'value' || !types.isNativeError(value)) return
  try {
    encode([value])
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    throw new ValueError(error.message.replace('$[0]', '$'), error.path.replace('$[0]', '$'))
  }
}

function plainOf(kept: Keepable): unknown {
  return 'plain' in kept ? kept.plain : kept.value
}

function convert(
  value: unknown,
  by: ((value: never) => unknown) | undefined,
  option: 'toPlain' | 'fromPlain',
  call: ReadCall,
): unknown {
  if (by === undefined) return value
  try {
    return by(value as never)
  } catch (cause) {
    const error = new ValueError(
      `${option} threw, so the value cannot be cached.`,
      '$',
      undefined,
      cause,
    )
    throw placed(error, call)
  }
}

function placed(error: unknown, { site, cache, fullKey }: ReadCall): unknown {
  if (!(error instanceof ValueError)) return error
  return error.at({ where: site.where, cache, key: fullKey })
}

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
