/** A put into both tiers: sent with the number that its writer knew, and kept here once the store has taken it. */

import type { PutReply } from '../contracts/remote-store.ts'
import type { Stamp } from '../entry/stamp.ts'
import { storedForm } from './keep.ts'
import type { CacheNode } from './node.ts'
import { ONLY_HERE, type PutEnds, type PutResult, type Writing } from './put-ends.ts'
import type { PutNear } from './put-near.ts'
import type { ReadCall } from './read-call.ts'
import type { EncodedValue } from './value-pipeline.ts'

/** For stores that keep no log: write whatever was changed. */
const UNFENCED = 0
/** Less than any sequence number: the put evicts. */
const BELOW_ALL = 1
/** A `set` that is refused so many times in a row leaves the key evicted. */
const MOST_ATTEMPTS = 4

export class PutFar {
  readonly #node: CacheNode
  readonly #ends: PutEnds
  readonly #near: PutNear

  constructor(node: CacheNode, ends: PutEnds, near: PutNear) {
    this.#node = node
    this.#ends = ends
    this.#near = near
  }

  async put(
    writing: Writing,
    encoding: EncodedValue | Promise<EncodedValue> | undefined,
  ): Promise<PutResult> {
    const { coherence, events, changes } = this.#node
    const { call, kept, fence, hasBegun, mark } = writing
    const { policy, address } = call
    const { key, partition } = address
    await coherence.start()
    const encoded = await this.#orEvict(call, encoding)
    const stamp = fence.stampOf(partition)
    if (changes.hasChanged(key, mark, hasBegun ? stamp.seq : ONLY_HERE)) {
      // A later change on this node has handled the key itself.
      return hasBegun ? this.#ends.evictInstead(call) : { outcome: 'not-kept' }
    }
    const { bytes, commit } = storedForm(policy, { ...kept, isPut: true }, stamp.known, encoded)
    const sized = { ...writing, bytes: bytes.length }
    if (bytes.length > policy.maxValueBytes) {
      const { maxValueBytes: maxBytes } = policy
      events.emit('too-large', { cache: call.cache, key, bytes: bytes.length, maxBytes })
      const result = await this.#near.put(sized)
      return result.outcome === 'stored' ? { ...result, outcome: 'local' } : result
    }
    return this.#send(sized, stamp, { bytes, commit })
  }

  async #orEvict(
    call: ReadCall,
    encoding: EncodedValue | Promise<EncodedValue> | undefined,
  ): Promise<EncodedValue> {
    try {
      const encoded = encoding instanceof Promise ? await encoding : encoding
      if (encoded === undefined) throw new TypeError('A remote tier needs a codec')
      return encoded
    } catch (error) {
      await this.#ends.evictInstead(call)
      throw error
    }
  }

  async #send(
    writing: Writing,
    stamp: Stamp,
    { bytes, commit }: { readonly bytes: Buffer; readonly commit: number },
  ): Promise<PutResult> {
    const node = this.#node
    const { remote, coherence, knowledge, changes } = node
    const { call, kept, mark } = writing
    const { address } = call
    const { key, partition } = address
    const livesMs = kept.lifetimes.livesForMs
    if (remote === undefined) return { outcome: 'not-kept' }
    let since = this.#since(writing, stamp)
    for (let attempt = 1; ; attempt++) {
      const at = node.clock.now()
      const sent = knowledge.stamp(partition)
      let reply: PutReply
      try {
        const request = { bytes, livesMs, since }
        reply = await remote.run('put', (store) => store.put(address, request))
        knowledge.noteOwnPut(address, commit, reply)
        await coherence.publish({ kind: 'keys', ...reply, keys: [key] })
      } catch (cause) {
        remote.reportDefect('put', cause)
        return this.#ends.queueInstead(call, cause)
      }
      coherence.applyMutation(reply, [key], sent.seq)
      if (reply.stored) {
        const written = { ...sent, birth: stamp.birth, seq: reply.seq }
        const isLast = !changes.hasChanged(key, mark, reply.seq)
        this.#ends.keepLocally(writing, { stamp: written, at, commit, isLast })
        return { outcome: 'stored' }
      }
      const isOver = attempt === MOST_ATTEMPTS || changes.hasChanged(key, mark, ONLY_HERE)
      if (writing.hasBegun || isOver) return { outcome: 'not-kept' }
      since = reply.seq
    }
  }

  /** The number that tells the store whether the key was changed since. Where that is not known, the put evicts. */
  #since({ call, hasBegun }: Writing, stamp: Stamp): number {
    const { knowledge, remote } = this.#node
    if (remote?.store.capabilities.sequences !== true) return hasBegun ? BELOW_ALL : UNFENCED
    const isWaiting = knowledge.isInDoubt(call.fullKey)
    if (isWaiting || !knowledge.isLevel(stamp)) return BELOW_ALL
    return Math.max(BELOW_ALL, stamp.seq)
  }
}
