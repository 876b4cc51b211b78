/** A put that stays in this process. */

import type { CacheNode } from './node.ts'
import type { PutEnds, PutResult, Writing } from './put-ends.ts'
import { standingAfter, standingNow, tellOthers } from './tell-others.ts'

export class PutNear {
  readonly #node: CacheNode
  readonly #ends: PutEnds

  constructor(node: CacheNode, ends: PutEnds) {
    this.#node = node
    this.#ends = ends
  }

  /** Keeps a value in this process only, and tells the other nodes. */
  async put(writing: Writing): Promise<PutResult> {
    const node = this.#node
    const { call, fence, hasBegun, mark } = writing
    const { address } = call
    const { partition } = address
    const wayHere = { at: node.clock.now(), commit: 0, isLast: true }
    if (node.remote === undefined) {
      return this.#ends.keepLocally(writing, { ...wayHere, stamp: fence.stampOf(partition) })
    }
    await node.coherence.start()
    if (!hasBegun && this.#ends.isEvictedByTag(writing)) return this.#ends.evictInstead(call)
    const begun = { stamp: fence.stampOf(partition), mark }
    const told = await tellOthers(node, address)
    const { cause } = told
    if (cause !== undefined) this.#ends.queueInstead(call, cause)
    const standing = (hasBegun ? standingAfter : standingNow)(node, address, told, begun)
    const result: PutResult =
      standing === undefined
        ? { outcome: 'not-kept' }
        : this.#ends.keepLocally(writing, { ...wayHere, stamp: standing })
    return cause === undefined ? result : { ...result, cause }
  }
}
