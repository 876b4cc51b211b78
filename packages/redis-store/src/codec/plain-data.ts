/** Whether MessagePack alone brings a value back the same. */

const MAX_DEPTH = 200

/** True for null, booleans, numbers but −0, well-formed strings, and plain objects and dense arrays of those. */
export function isPlainData(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed()
    case 'number':
      return value !== 0 || !Object.is(value, -0)
    case 'boolean':
      return true
    case 'object':
      return value === null || (depth < MAX_DEPTH && isPlainContainer(value, depth + 1))
    default:
      return false
  }
}

function isPlainContainer(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Array.prototype && Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (!isPlainData(value[i], depth)) return false
    }
    return true
  }
  if (prototype !== Object.prototype) return false
  for (const name of Object.keys(value)) {
    if (name === '__proto__' || !name.isWellFormed()) return false
    if (!isPlainData((value as Record<string, unknown>)[name], depth)) return false
  }
  return true
}
