/** Deep-freezes plain data, so that a caller who mutates a cached value gets a TypeError instead of changing everybody's. */

/**
 * Freezes plain objects and arrays all the way down and returns the value.
 *
 * Class instances, Date, Map, Set and binary data are left as they are: freezing them would not protect what they hold,
 * or would break them. A part that is frozen already is taken to be frozen below as well.
 */
export function freezeDeep<Value>(value: Value): Value {
  if (!isPlain(value)) return value
  const pending: object[] = [value]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (Object.isFrozen(next)) continue
    Object.freeze(next)
    for (const name of Object.keys(next)) {
      const part = ownData(next, name)
      if (isPlain(part)) pending.push(part)
    }
  }
  return value
}

/**
 * Freezes what a codec has just decoded, which holds data properties only: a getter could run code, and asking for each
 * property's descriptor is most of what freezing costs.
 */
export function freezeDecoded<Value>(value: Value): Value {
  if (!isPlain(value)) return value
  for (const name in value) freezeDecoded(value[name])
  return Object.freeze(value)
}

/** An own property's value; getters are values' own business. */
function ownData(owner: object, name: string): unknown {
  const property = Object.getOwnPropertyDescriptor(owner, name)
  return property !== undefined && 'value' in property ? property.value : undefined
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
