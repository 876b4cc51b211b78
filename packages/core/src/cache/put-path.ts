/**
 * How a value is written on purpose: `set`, `warm`, `@CachePut`.
 *
 * A put has no lease that fences it. So it names the sequence number that its writer knew, and the store's log says what happened to
 * the key since. What follows from that differs between two kinds of puts.
 *
 * - One that *began* before its value was made (`@CachePut`: at the call of the method). What changed the key meanwhile may
 *   be newer than the value, and nothing can tell whether it is. So the put evicts the key.
 * - One whose value counts as made now (`set`). The last writer wins: when it is refused, it is sent again with the number that the
 *   refusal named. It is always fenced: bytes that arrive after this node has given the call up must not replace a later write.
 *   They name an old number, and are refused.
 *
 * `ChangeMarks` tells what this node itself did, or heard of, meanwhile. For values that stay in this process, and for stores without
 * sequences, nothing else tells.
 *
 * The order is: forget here what is cached or being loaded (it is older), write to the store, keep here. The value is kept only if no
 * change has a higher number than the put; the check and the keeping are one synchronous step.
 */

import { ALL_PARTITIONS } from '../coherence/partitions.ts'
import type { Stamp } from '../entry/stamp.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { withValue } from '../events/event-value.ts'
import { ASKED_HERE } from './change-marks.ts'
import { type Keepable, keepable } from './keep.ts'
import type { LocalShelf } from './local-shelf.ts'
import type { CacheNode } from './node.ts'
import { PutEnds, type PutResult } from './put-ends.ts'
import { PutFar } from './put-far.ts'
import { openPutFence, type PutFence } from './put-fence.ts'
import { PutNear } from './put-near.ts'
import type { ReadCall } from './read-call.ts'
import { assertKeepable, encodeKept, ownCopy, takeIn } from './value-forms.ts'
import type { WritePath } from './write-path.ts'

export interface Put {
  readonly call: ReadCall
  readonly value: unknown
  /** Begun before the value was made; without it, the value counts as made now. The put ends it. */
  readonly begun?: PutFence | undefined
}

export class PutPath {
  readonly #node: CacheNode
  readonly #ends: PutEnds
  readonly #near: PutNear
  readonly #far: PutFar

  constructor(node: CacheNode, shelf: LocalShelf, writes: WritePath) {
    this.#node = node
    this.#ends = new PutEnds(node, shelf, writes)
    this.#near = new PutNear(node, this.#ends)
    this.#far = new PutFar(node, this.#ends, this.#near)
  }

  /**
   * Begins a fence for a put whose value is about to be made, for whatever key. Returns it at once, except for the first put of a
   * process: as long as nothing is known of the store, old changes could not be told from those that happen meanwhile.
   */
  begin(): PutFence | Promise<PutFence> {
    const { coherence, knowledge } = this.#node
    if (knowledge.isAlone || knowledge.tags.confirmed > 0) return this.#fence()
    return coherence.start().then(() => this.#fence())
  }

  /**
   * Writes a value. It never rejects because of the store: then the old value is evicted here and, through the recovery queue, in the
   * store, and the new one waits together with that eviction if it can. The result says so.
   *
   * @throws ValueError when the value cannot be encoded; ClosedError
   */
  async put(put: Put): Promise<PutResult> {
    const node = this.#node
    const { call, begun } = put
    const fence =
      begun ?? openPutFence(node.changes, node.clock.now(), (id) => node.knowledge.stamp(id))
    try {
      if (node.isClosed) throw new ClosedError(node.namespace)
      const result = await this.#put(put, fence)
      if (node.events.heard.has('put')) {
        const { outcome } = result
        const event = { cache: call.cache, key: call.fullKey, outcome }
        const { policy } = call
        const value = (): unknown =>
          policy.isolation === 'cloned' ? ownCopy(node, policy, put.value) : put.value
        node.events.emit('put', withValue(event, value))
      }
      return result
    } finally {
      fence.end()
    }
  }

  async #put(put: Put, given: PutFence): Promise<PutResult> {
    const node = this.#node
    const { call } = put
    const { key } = call.address
    const hasBegun = put.begun !== undefined
    // Others must not read what is not committed yet. The key is evicted at the end of the unit.
    if (node.unit() !== undefined) return this.#ends.evictInstead(call)
    const kind = put.value === undefined || put.value === null ? 'negative' : 'value'
    const made = keepable(call, { kind, value: put.value, loadMs: 0 }, node.events)
    const standing = hasBegun ? this.#standing(put, given) : given
    // A result that must not be cached still shows that the cached value is old.
    if (made === undefined || standing === undefined) return this.#ends.evictInstead(call)
    const isShared = node.remote !== undefined && call.policy.remote
    node.noteLife(made.lifetimes.livesForMs)
    let kept: Keepable
    let payload: Uint8Array | undefined
    try {
      // Before anything is awaited: the caller may change its value.
      kept = takeIn(node, call, made)
      if (isShared) payload = encodeKept(node, call, kept)
      else assertKeepable(node, call, kept)
    } catch (error) {
      // The result cannot be cached, but the cached value is older than it.
      if (hasBegun) await this.#ends.evictInstead(call)
      throw error
    }
    const writing = { call, value: put.value, kept, hasBegun, fence: standing }
    const mark = this.#ends.forgetHere(key)
    const putting = isShared
      ? this.#far.put({ ...writing, mark }, payload)
      : this.#near.put({ ...writing, mark })
    node.overtakings.note(key, putting)
    return putting
  }

  /** Returns the fence of a put that began earlier, as far as this node knows; `undefined` when the put was overtaken. */
  #standing({ call, value }: Put, fence: PutFence): PutFence | undefined {
    const { changes } = this.#node
    const { key, partition } = call.address
    // A message about a change that the fence contains may come late.
    const known = fence.stampOf(partition).seq
    if (!changes.hasChanged(key, fence.mark, known)) return fence
    const last = changes.lastPutOf(key, fence.mark, value)
    if (last === undefined) return undefined
    const stampOf = (partition: number): Stamp => {
      const stamp = fence.stampOf(partition)
      return last.seq === ASKED_HERE ? stamp : { ...stamp, seq: Math.max(stamp.seq, last.seq) }
    }
    return { ...fence, mark: last.moment, stampOf }
  }

  #fence(): PutFence {
    const { changes, knowledge, clock } = this.#node
    const stamps = ALL_PARTITIONS.map((id) => knowledge.stamp(id))
    return openPutFence(changes, clock.now(), (id) => stamps[id] ?? knowledge.stamp(id))
  }
}
