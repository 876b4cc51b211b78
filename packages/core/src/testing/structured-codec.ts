/** A codec for tests that needs no library: Node's own serialization. */

import { deserialize, serialize } from 'node:v8'
import type { CodecFactory } from '../contracts/codec.ts'
import { createTaggedTree } from '../values/tagged-tree.ts'

/**
 * Makes a codec on Node's own serialization. It brings back what the codec of `@larder/redis-store` does, registered types
 * included, and refuses what that refuses.
 *
 * Its bytes are only readable by the same major version of Node, so it is for tests.
 */
export const structuredCodec: CodecFactory = (types) => {
  const tree = createTaggedTree(types)
  return {
    name: 'structured',
    encode: (value: unknown): Uint8Array => serialize(tree.tag(value)),
    decode: (bytes: Uint8Array): unknown => tree.untag(deserialize(bytes)),
  }
}
