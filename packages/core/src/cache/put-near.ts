/** A put that stays in this process. */

import type { MutationReply } from '../contracts/remote-store.ts'
import type { CacheNode } from './node.ts'
import type { PutEnds, PutResult, Writing } from './put-ends.ts'

const HARD = { soft: false, settleMs: 0 } as const

export class PutNear {
  readonly #node: CacheNode
  readonly #ends: PutEnds

  constructor(node: CacheNode, ends: PutEnds) {
    this.#node = node
    this.#ends = ends
  }

  /** Keeps a value in this process only; other nodes may hold the key in their own local tiers, so they are told. */
  async put(writing: Writing): Promise<PutResult> {
    const { coherence, knowledge, remote, changes, clock } = this.#node
    const { call, fence, hasBegun, mark } = writing
    const { address } = call
    const { key, partition } = address
    const wayHere = { at: clock.now(), commit: 0, isLast: true }
    if (remote === undefined) {
      return this.#ends.keepLocally(writing, { ...wayHere, stamp: fence.stampOf(partition) })
    }
    await coherence.start()
    if (!hasBegun && this.#ends.isEvictedByTag(writing)) return this.#ends.evictInstead(call)
    const stamp = fence.stampOf(partition)
    const { heard } = knowledge.partition(partition)
    let reply: MutationReply | undefined
    let cause: unknown
    try {
      ;[reply] = await remote.run('evict', (store) => store.evict([address], HARD))
      if (reply !== undefined) knowledge.noteOwnPut(address, 0, { ...reply, stored: false }, heard)
      if (reply !== undefined) await coherence.publish({ kind: 'keys', ...reply, keys: [key] })
    } catch (error) {
      cause = error
      remote.reportDefect('put', error)
      this.#ends.queueInstead(call, error)
    }
    if (reply !== undefined) coherence.applyMutation(reply, [key], heard)
    const now = knowledge.stamp(partition)
    const seq = reply?.seq ?? now.seq
    // Everything up to our own change was heard of: otherwise nobody here knows what else happened to the key.
    const isKnown = reply !== undefined && knowledge.isLevel(stamp) && now.seq >= seq
    const isLast = hasBegun
      ? isKnown && !changes.hasChanged(key, mark, stamp.seq, seq)
      : !changes.hasChanged(key, mark, seq)
    const written = { ...now, birth: stamp.birth, seq }
    const result = this.#ends.keepLocally(writing, { ...wayHere, stamp: written, isLast })
    return cause === undefined ? result : { ...result, cause }
  }
}
