/** Registers a class for the shared tier. */

import type { ValueType } from '../contracts/codec.ts'

/**
 * Returns the type as it is; written out so that `encode` and `decode` are typed by the class.
 *
 * @example
 * createCacheManager({
 *   namespace: 'shop',
 *   types: [valueType({ name: 'money', class: Money, encode: (m) => m.cents, decode: (c) => new Money(c as bigint) })],
 * })
 */
export function valueType<Value>(type: ValueType<Value>): ValueType {
  return type
}
