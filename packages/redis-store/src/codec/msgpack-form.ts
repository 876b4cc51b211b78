/** Plain data and tagged trees as MessagePack, by msgpackr. */

import { Packr, Unpackr } from 'msgpackr'
import { checkMsgpack } from './check-msgpack.ts'

const OPTIONS = { useRecords: false, mapsAsObjects: true, copyBuffers: true, variableMapSize: true }

export interface MsgpackForm {
  write(tree: unknown): Uint8Array
  /** @throws Error when the bytes are not exactly one acceptable value. */
  read(bytes: Uint8Array): unknown
}

export function msgpackForm(): MsgpackForm {
  const packr = new Packr(OPTIONS)
  const unpackr = new Unpackr(OPTIONS)
  return {
    write: (tree) => packr.pack(tree),
    read: (bytes) => {
      checkMsgpack(bytes)
      return unpackr.unpack(bytes)
    },
  }
}
