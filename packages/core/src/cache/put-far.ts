/**
 * A put into both tiers. It is sent with the sequence number that its writer knew, and kept here once the store has taken it. While
 * the store is away the value waits, unless the caller asked for an error instead.
 */

import type { PutReply } from '../contracts/remote-store.ts'
import type { Stamp } from '../entry/stamp.ts'
import { StoreUnavailableError } from '../errors/store-error.ts'
import type { CacheNode } from './node.ts'
import { ONLY_HERE, type PutEnds, type PutResult, type Sending, type Writing } from './put-ends.ts'
import type { PutNear } from './put-near.ts'
import type { ReadCall } from './read-call.ts'
import { sealed, storedForm } from './stored-form.ts'

/** For stores that keep no log: they write in any case, whatever was changed. */
const UNFENCED = 0
/** Less than any sequence number. A put that names it evicts the key. */
const BELOW_ALL = 1
/** After so many refusals in a row, a `set` leaves the key evicted. */
const MOST_ATTEMPTS = 4

/** What was sent, and what became of it. */
interface Failed extends Sending {
  readonly since: number
  /** The store had taken it. */
  readonly isAnswered: boolean
  /** What the store failed with. */
  readonly cause: unknown
}

export class PutFar {
  readonly #node: CacheNode
  readonly #ends: PutEnds
  readonly #near: PutNear

  constructor(node: CacheNode, ends: PutEnds, near: PutNear) {
    this.#node = node
    this.#ends = ends
    this.#near = near
  }

  /** `payload`: what the codec made of the value; `undefined` where there is no codec. */
  async put(writing: Writing, payload: Uint8Array | undefined): Promise<PutResult> {
    const { coherence, changes, knowledge } = this.#node
    const { call, fence, hasBegun, mark } = writing
    const { key, partition } = call.address
    const askedAt = this.#node.clock.now()
    await coherence.start()
    if (payload === undefined) {
      await this.#ends.evictInstead(call)
      throw new TypeError('A remote tier needs a codec')
    }
    const stamp = fence.stampOf(partition)
    const kept = { ...writing.kept, isPut: true }
    const value = await sealed(this.#node, call, { kept, payload, birth: stamp.known })
    if (changes.hasChanged(key, mark, hasBegun ? stamp.seq : ONLY_HERE)) {
      // A later change of this node has evicted or replaced the key itself.
      return hasBegun ? this.#ends.evictInstead(call) : { outcome: 'not-kept' }
    }
    // The cached value may have other tags, but it is old, too.
    if (!hasBegun && this.#ends.isEvictedByTag(writing)) return this.#ends.evictInstead(call)
    if (value === undefined) return this.#putHere({ ...writing, bytes: payload.length })
    const bytes = storedForm(call, kept, value)
    const sized = { ...writing, bytes: bytes.length }
    if (this.#isTooLarge(call, bytes.length)) return this.#putHere(sized)
    const sending = { bytes, commit: value.commit, stamp, askedAt }
    if (!knowledge.queue.keys.has(key) || !this.#mayWait(call, stamp))
      return this.#send(sized, sending)
    // A value of this key waits already, and its attempts may still arrive: this one waits behind it, so that they do not overtake each other.
    const cause = new StoreUnavailableError('put')
    const result = this.#queue(sized, { ...sending, since: stamp.seq, isAnswered: false, cause })
    void coherence.sync()
    return result
  }

  /** It cannot be stored for all. */
  async #putHere(writing: Writing): Promise<PutResult> {
    const result = await this.#near.put(writing)
    return result.outcome === 'stored' ? { ...result, outcome: 'local' } : result
  }

  #isTooLarge({ cache, fullKey: key, policy }: ReadCall, bytes: number): boolean {
    const { maxValueBytes: maxBytes } = policy
    if (bytes <= maxBytes) return false
    this.#node.events.emit('too-large', { cache, key, bytes, maxBytes })
    return true
  }

  async #send(writing: Writing, sending: Sending): Promise<PutResult> {
    const node = this.#node
    const { remote, coherence, knowledge, changes } = node
    const { call, kept, mark } = writing
    const { bytes, commit, stamp } = sending
    const { address } = call
    const { key, partition } = address
    const livesMs = kept.lifetimes.livesForMs
    if (remote === undefined) return { outcome: 'not-kept' }
    const waiting = knowledge.queue.keys.get(key)
    let since = this.#since(writing, stamp)
    for (let attempt = 1; ; attempt++) {
      const at = node.clock.now()
      const sent = knowledge.stamp(partition)
      const { heard } = knowledge.partition(partition)
      let reply: PutReply | undefined
      try {
        const request = { bytes, livesMs, since }
        reply = await remote.run('put', (store) => store.put(address, request))
        knowledge.noteOwnPut(address, commit, reply, heard)
        await coherence.publish({ kind: 'keys', ...reply, keys: [key] })
      } catch (cause) {
        remote.reportDefect('put', cause)
        const isAnswered = reply !== undefined
        return this.#queue(writing, { ...sending, since, isAnswered, cause })
      }
      coherence.applyMutation(reply, [key], heard)
      if (reply.stored) {
        // The put has replaced what a waiting eviction was for: that eviction would only remove the new value.
        if (waiting !== undefined) knowledge.queue.settle({ keys: [waiting], tags: [] })
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

  /** After the store failed: the value waits for it if it can be fenced; otherwise an eviction of the key waits. */
  #queue(writing: Writing, failed: Failed): PutResult {
    const { knowledge, changes } = this.#node
    const { call, mark } = writing
    const { stamp, cause } = failed
    const { key } = call.address
    if (changes.hasChanged(key, mark, ONLY_HERE)) {
      // A later put of this node takes the place of all earlier ones.
      if (knowledge.queue.valueOf(key) !== undefined) return { outcome: 'not-kept', cause }
      return this.#ends.queueInstead(call, cause)
    }
    // A waiting eviction of this node came before this put and is done by it. One of another node may have come after it.
    const since = Math.max(failed.since, stamp.seq)
    // The store has taken it, and only the message to the others failed: an eviction tells them.
    const mayWait = !failed.isAnswered && this.#mayWait(call, stamp)
    if (mayWait && this.#ends.queuePut(writing, failed, since)) return { outcome: 'queued', cause }
    return mayWait ? { outcome: 'not-kept', cause } : this.#ends.queueInstead(call, cause)
  }

  #mayWait({ policy, address }: ReadCall, stamp: Stamp): boolean {
    const isWanted = policy.onRemoteFailure === 'queue'
    return isWanted && this.#node.knowledge.canFence(stamp, address.key)
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
