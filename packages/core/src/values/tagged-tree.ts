/**
 * Any supported value as plain data, for codecs: every array begins with a tag that says what it stands for.
 *
 * An array `[x]` becomes `[0, x]`, a Date `[2, ms]`, a Map `[4, key, value, …]`, and so on. As *every* array is tagged, data
 * cannot be mistaken for a tag. Objects stay objects, unless their keys would be lost. Bytes stay bytes.
 */

import type { ValueType } from '../contracts/codec.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { Tagger } from './tagger.ts'
import { Untagger } from './untagger.ts'

export interface TaggedTree {
  /** @throws ValueError naming the path of a value that could not be restored unchanged. */
  tag(value: unknown): unknown
  /** Reverses `tag`; throws on anything that `tag` does not produce. Everything it returns is new. */
  untag(tree: unknown): unknown
}

/**
 * Makes a tree that knows the given classes.
 *
 * @throws InvalidOptionError when two types share a name or a class.
 */
export function createTaggedTree(types: readonly ValueType[] = []): TaggedTree {
  const byName = new Map(types.map((type) => [type.name, type]))
  const byPrototype = typesByPrototype(types)
  if (byName.size < types.length) throw sharedName(types)
  return {
    tag: (value) => new Tagger(byPrototype).tag(value),
    untag: (tree) => new Untagger(byName).untag(tree),
  }
}

/**
 * Returns the registered types by the prototype of their instances, which identifies the exact class.
 *
 * @throws InvalidOptionError when two types share a class.
 */
export function typesByPrototype(types: readonly ValueType[]): ReadonlyMap<unknown, ValueType> {
  const found = new Map<unknown, ValueType>(types.map((type) => [type.class.prototype, type]))
  if (found.size < types.length) throw sharedName(types)
  return found
}

function sharedName(types: readonly ValueType[]): InvalidOptionError {
  return new InvalidOptionError({
    option: 'types',
    expected: 'value types with distinct names and classes',
    received: types.map(({ name }) => name).join(', '),
  })
}
