/**
 * Values as MessagePack, by msgpackr, or as JSON text where that is the faster of the two.
 *
 * Most values are plain data, which both hold as it is. Anything else (Date, Map, bigint, a registered class, …) makes the
 * whole value travel as a *tagged tree* (`createTaggedTree` of the core) in MessagePack, announced by a first byte that no
 * MessagePack value begins with. The first byte tells all forms apart. msgpackr's own extensions are not used: they register
 * classes for the whole process, and some of them would let hostile bytes name a constructor to call.
 */

import type { ValueType } from '@larder/core'
import {
  type Codec,
  createTaggedTree,
  freezeDecoded,
  type PlainParts,
  plainPartsOf,
} from '@larder/core/store'
import { isBetterAsJson } from './choose-form.ts'
import { isJsonForm, readJson, readJsonFrozen, writeJson } from './json-form.ts'
import { msgpackForm } from './msgpack-form.ts'

/** 0xc1 is the one byte MessagePack never uses. */
const TAGGED = 0xc1

/**
 * Creates a codec that knows the given classes.
 *
 * @throws InvalidOptionError when two types share a name or a class.
 */
export function msgpackCodec(types: readonly ValueType[] = []): Codec {
  const msgpack = msgpackForm()
  const tree = createTaggedTree(types)
  const unpack = (bytes: Uint8Array): unknown =>
    bytes[0] === TAGGED ? tree.untag(msgpack.read(bytes.subarray(1))) : msgpack.read(bytes)

  return {
    name: 'msgpack',
    encode(value: unknown): Uint8Array {
      const parts = partsOf(value)
      if (parts !== undefined)
        return isBetterAsJson(parts) ? writeJson(value) : msgpack.write(value)
      const packed = msgpack.write(tree.tag(value))
      const bytes = Buffer.allocUnsafe(packed.length + 1)
      bytes[0] = TAGGED
      bytes.set(packed, 1)
      return bytes
    },
    decode: (bytes) => (isJsonForm(bytes) ? readJson(bytes) : unpack(bytes)),
    decodeFrozen: (bytes) =>
      isJsonForm(bytes) ? readJsonFrozen(bytes) : freezeDecoded(unpack(bytes)),
  }
}

/** A value that cannot be read is left to the tagged tree, which names its place. */
function partsOf(value: unknown): PlainParts | undefined {
  try {
    return plainPartsOf(value)
  } catch {
    return undefined
  }
}
