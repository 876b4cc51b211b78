/**
 * Values as MessagePack, by msgpackr.
 *
 * Most values are plain data, which MessagePack holds as it is. Anything else (Date, Map, bigint, a registered class, …)
 * makes the whole value travel as a *tagged tree* (`createTaggedTree` of the core), announced by a first byte that no MessagePack value
 * begins with. msgpackr's own extensions are not used: they register classes for the whole process, and some of them
 * would let hostile bytes name a constructor to call.
 */

import type { ValueType } from '@larder/core'
import { type Codec, createTaggedTree, isPlainData } from '@larder/core/store'
import { Packr, Unpackr } from 'msgpackr'
import { checkMsgpack } from './check-msgpack.ts'

/** 0xc1 is the one byte MessagePack never uses. */
const TAGGED = 0xc1

const OPTIONS = { useRecords: false, mapsAsObjects: true, copyBuffers: true, variableMapSize: true }

/**
 * Creates a codec that knows the given classes.
 *
 * @throws InvalidOptionError when two types share a name or a class.
 */
export function msgpackCodec(types: readonly ValueType[] = []): Codec {
  const packr = new Packr(OPTIONS)
  const unpackr = new Unpackr(OPTIONS)
  const tree = createTaggedTree(types)

  return {
    name: 'msgpack',
    encode(value: unknown): Uint8Array {
      if (isPlain(value)) return packr.pack(value)
      const packed = packr.pack(tree.tag(value))
      const bytes = Buffer.allocUnsafe(packed.length + 1)
      bytes[0] = TAGGED
      bytes.set(packed, 1)
      return bytes
    },
    decode(bytes: Uint8Array): unknown {
      const isTagged = bytes[0] === TAGGED
      const packed = isTagged ? bytes.subarray(1) : bytes
      checkMsgpack(packed)
      const value: unknown = unpackr.unpack(packed)
      return isTagged ? tree.untag(value) : value
    },
  }
}

/** A value that cannot be read is left to the tagged tree, which names its place. */
function isPlain(value: unknown): boolean {
  try {
    return isPlainData(value)
  } catch {
    return false
  }
}
