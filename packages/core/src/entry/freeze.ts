/** Deep-freezes plain data, so that a caller who mutates a cached value gets a TypeError instead of changing everybody's. */

/**
 * Freezes plain objects and arrays all the way down and returns the value.
 *
 * Class instances, Date, Map, Set and binary data are left as they are: freezing them would not protect what they hold,
 * or would break them. A part that is frozen already is taken to be frozen below as well.
 */
export function freezeDeep<Value>(value: Value): Value {
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (!isPlain(next) || Object.isFrozen(next)) continue
    Object.freeze(next)
    // Own string keys only: getters are values' own business, and reading them could run code.
    for (const name of Object.keys(next)) {
      const property = Object.getOwnPropertyDescriptor(next, name)
      if (property !== undefined && 'value' in property) pending.push(property.value)
    }
  }
  return value
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
