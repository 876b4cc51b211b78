/** Roughly how much memory a value takes, for local stores that are bounded by bytes. */

import { types } from 'node:util'

const PER_VALUE = 16

/** Returns an estimate in bytes. Shared and cyclic parts count once; parts that refuse to be read do not count. Never throws. */
export function measureValue(value: unknown): number {
  const seen = new Set<object>()
  const pending: unknown[] = [value]
  let bytes = 0
  while (pending.length > 0) {
    const next = pending.pop()
    bytes += PER_VALUE
    if (typeof next === 'string') bytes += 2 * next.length
    if (typeof next !== 'object' || next === null || seen.has(next)) continue
    seen.add(next)
    try {
      bytes += measureObject(next, pending)
    } catch {
      // A Proxy that refuses. The call has succeeded, and must not fail because its size can only be guessed.
    }
  }
  return bytes
}

/** Own size of an object; its parts are added to `pending`. */
function measureObject(value: object, pending: unknown[]): number {
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return value.byteLength
  if (value instanceof Map) {
    for (const [key, item] of value) pending.push(key, item)
    return PER_VALUE * value.size
  }
  if (value instanceof Set) {
    for (const item of value) pending.push(item)
    return PER_VALUE
  }
  const names = Object.keys(value)
  for (const name of names) {
    const property = Object.getOwnPropertyDescriptor(value, name)
    if (property !== undefined && 'value' in property) pending.push(property.value)
  }
  return PER_VALUE * names.length
}
