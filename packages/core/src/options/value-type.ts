/** Registers a class for the shared tier. */

import type { ValueType } from '../contracts/codec.ts'
import { assertValueType } from './assert-contract.ts'

/**
 * Returns the type as it is, checked; written out so that `encode` and `decode` are typed by the class.
 *
 * @throws InvalidOptionError
 * @example
 * createCacheManager({
 *   namespace: 'shop',
 *   types: [valueType({ name: 'money', class: Money, encode: (m) => m.cents, decode: (c) => new Money(c as bigint) })],
 * })
 */
export function valueType<Value>(type: ValueType<Value>): ValueType {
  assertValueType(type, 'valueType.type')
  return type
}
