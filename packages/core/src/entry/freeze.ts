/** Deep-freezes plain data, so that a caller who mutates a cached value gets a TypeError instead of changing everybody's. */

import { hasHoles, isDenseAlone } from '../values/own-parts.ts'
import { isPlainContainer } from '../values/value-kind.ts'

/**
 * Freezes plain objects and arrays all the way down and returns the value. Never throws.
 *
 * Class instances, Date, Map, Set, binary data and objects of the host are left as they are: freezing them would not protect
 * what they hold, or would break them. So is whatever refuses to be frozen or looked at.
 */
export function freezeDeep<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  const pending: unknown[] = [value]
  // Remembers only objects that were frozen when they were found. The others are frozen when first seen, which marks them for free.
  const seen = new Set<object>()
  while (pending.length > 0) {
    const next = pending.pop()
    if (!isPlainContainer(next)) continue
    try {
      if (Object.isFrozen(next)) {
        if (seen.has(next)) continue
        seen.add(next)
      } else Object.freeze(next)
      addParts(next, pending)
    } catch {
      // A Proxy that refuses. The call has succeeded; only this part of its result is not protected.
    }
  }
  return value
}

/** Adds the objects that an object holds to `pending`; a getter's result is not its own. */
function addParts(owner: object, pending: unknown[]): void {
  if (Array.isArray(owner) && !hasHoles(owner) && isDenseAlone(owner)) {
    for (const part of owner as readonly unknown[]) {
      if (typeof part === 'object' && part !== null) pending.push(part)
    }
    return
  }
  for (const name of Object.keys(owner)) {
    const part: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value
    if (typeof part === 'object' && part !== null) pending.push(part)
  }
}

/**
 * Freezes what a codec has just decoded, which holds data properties only: a getter could run code, and asking for each
 * property's descriptor is most of what freezing costs.
 */
export function freezeDecoded<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) freezeObject(value)
  return value
}

/** Looks at the parts before it calls itself, because most are not objects. */
function freezeObject(value: object): void {
  // An object that occurs twice is already frozen the second time. To go into it again would never end in a hostile tree.
  if (Object.isFrozen(value)) return
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const part: unknown = value[i]
      if (typeof part === 'object' && part !== null) freezeObject(part)
    }
  } else {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return
    for (const name in value) {
      const part = (value as Readonly<Record<string, unknown>>)[name]
      if (typeof part === 'object' && part !== null) freezeObject(part)
    }
  }
  Object.freeze(value)
}
