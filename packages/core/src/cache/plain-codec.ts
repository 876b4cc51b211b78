/** The codec of sessions and messages that stay in this process, where the manager has none: what works with it also works with Redis. */

import { deserialize, serialize } from 'node:v8'
import type { Codec, ValueType } from '../contracts/codec.ts'
import { createTaggedTree } from '../values/tagged-tree.ts'

/** Its bytes never leave the process, so it does not matter that another version of Node.js could not read them. */
export function plainCodec(types: readonly ValueType[]): Codec {
  const tree = createTaggedTree(types)
  return {
    name: 'plain',
    encode: (value) => serialize(tree.tag(value)),
    decode: (bytes) => tree.untag(deserialize(bytes)),
  }
}
