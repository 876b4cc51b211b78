/** Deep-freezes plain data, so that a caller who mutates a cached value gets a TypeError instead of changing everybody's. */

import { isPlainContainer } from '../values/value-kind.ts'

/**
 * Freezes plain objects and arrays all the way down and returns the value. Never throws.
 *
 * Class instances, Date, Map, Set, binary data and objects of the host are left as they are: freezing them would not protect
 * what they hold, or would break them. So is whatever refuses to be frozen or looked at.
 */
export function freezeDeep<Value>(value: Value): Value {
  if (!isPlainContainer(value)) return value
  const pending: object[] = [value]
  const seen = new Set<object>()
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    for (const part of frozenParts(next)) {
      if (isPlainContainer(part)) pending.push(part)
    }
  }
  return value
}

/** Freezes one object and returns what it holds; a getter's result is not its own. */
function frozenParts(owner: object): readonly unknown[] {
  try {
    Object.freeze(owner)
    return Object.keys(owner).map((name) => Object.getOwnPropertyDescriptor(owner, name)?.value)
  } catch {
    // A Proxy that refuses. The call has succeeded; only this part of its result is not protected.
    return []
  }
}

/**
 * Freezes what a codec has just decoded, which holds data properties only: a getter could run code, and asking for each
 * property's descriptor is most of what freezing costs.
 */
export function freezeDecoded<Value>(value: Value): Value {
  // What occurs twice is frozen at its first sight: to go on from there would take for ever in a hostile tree.
  if (!isDecodedContainer(value) || Object.isFrozen(value)) return value
  for (const name in value) freezeDecoded(value[name])
  return Object.freeze(value)
}

function isDecodedContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
