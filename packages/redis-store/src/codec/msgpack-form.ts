/** Plain data and tagged trees as MessagePack, by msgpackr. */

import { Packr, Unpackr } from 'msgpackr/pack'
import { checkMsgpack } from './check-msgpack.ts'

const OPTIONS = { useRecords: false, mapsAsObjects: true, copyBuffers: true, variableMapSize: true }

export interface MsgpackForm {
  write(tree: unknown): Uint8Array
  /** @throws Error when the bytes are not exactly one acceptable value. */
  read(bytes: Uint8Array): unknown
}

export function msgpackForm(): MsgpackForm {
  accelerate()
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

/**
 * Loads msgpackr's main entry, which is the one above with a native addon for reading texts, where that is installed. Nobody waits
 * for it, and without it everything works as well: finding and opening an addon would be a good part of what importing this package costs.
 */
function accelerate(): void {
  import('msgpackr').catch(() => undefined)
}
