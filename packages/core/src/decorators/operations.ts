/** What a decorator says, as data. Kept as metadata on the method, where `describe` and `cached` find it. */

import 'reflect-metadata'
import type { EntryHandle } from './cached.ts'

/** One decorator on one method. */
export interface Operation {
  readonly kind: 'cacheable' | 'cache-put' | 'cache-evict' | (string & {})
  /** The options as given. */
  readonly options: object
  /** How to reach the entries behind the method; for `@Cacheable`. */
  readonly entries?: ((self: unknown) => EntryHandle) | undefined
}

const OPERATIONS = Symbol.for('larder.operations')

/** Adds an operation to a wrapped method, in front of those of the method it wraps. */
export function addOperation(wrapped: object, original: object, operation: Operation): void {
  Reflect.defineMetadata(OPERATIONS, [operation, ...operationsOf(original)], wrapped)
}

/** Returns the operations of a method, outermost first. */
export function operationsOf(method: object): readonly Operation[] {
  const found: unknown = Reflect.getOwnMetadata(OPERATIONS, method)
  return Array.isArray(found) ? found : []
}

/** Keeps what other decorators noted on the method. */
export function copyMetadata(from: object, to: object): void {
  for (const key of Reflect.getOwnMetadataKeys(from)) {
    if (!Reflect.hasOwnMetadata(key, to)) {
      Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, from), to)
    }
  }
}
