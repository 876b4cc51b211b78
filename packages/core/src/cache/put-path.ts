/**
 * How a value is written on purpose: `set`, `warm`, `@CachePut`.
 *
 * A put is fenced by no lease, so it names the sequence number its writer knew, and the store's log says what happened to
 * the key since. Two kinds of puts differ in what that means.
 *
 * - One that *began* before its value was made (`@CachePut`: at the call of the method). What changed the key meanwhile may
 *   be newer than the value, and nobody can tell: the put evicts.
 * - One whose value counts as made now (`set`). The last writer wins: it is sent again, with the number it has learnt. It
 *   never goes unfenced: bytes that our own deadline gave up, and that arrive later all the same, must not replace what was
 *   written after that. They know an old number, and are refused.
 *
 * What this node did itself or heard of meanwhile is told by `ChangeMarks`; for values that stay in this process, and
 * for stores without sequences, it is all there is.
 *
 * Order: forget here what is cached or under way (it is older), write, keep here. The last step is taken only if nothing
 * was numbered above the put meanwhile, in the same synchronous step as the check.
 */

import { EvictionQueued } from '../coherence/eviction-queued.ts'
import { ALL_PARTITIONS } from '../coherence/partitions.ts'
import type { MutationReply, PutReply } from '../contracts/remote-store.ts'
import { measureValue } from '../entry/measure.ts'
import type { Stamp } from '../entry/stamp.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { withValue } from '../events/event-value.ts'
import type { PutOutcome } from '../events/events.ts'
import { ASKED_HERE } from './change-marks.ts'
import { Flight } from './flight.ts'
import { type Keepable, keepable, localEntryOf, storedForm } from './keep.ts'
import type { LoadPath } from './load-path.ts'
import type { CacheNode } from './node.ts'
import { openPutFence, type PutFence } from './put-fence.ts'
import type { ReadCall } from './read-call.ts'
import { assertKeepable, encodeKept, ownCopy, takeIn } from './value-forms.ts'
import type { EncodedValue } from './value-pipeline.ts'
import type { WritePath } from './write-path.ts'

/** For stores that keep no log: write whatever was changed. */
const UNFENCED = 0
/** Less than any sequence number: the put evicts. */
const BELOW_ALL = 1
/** A `set` that is refused so many times in a row leaves the key evicted. */
const MOST_ATTEMPTS = 4
/** Of `ChangeMarks`: only what was asked for on this node. */
const ONLY_HERE = Number.MAX_VALUE
const HARD = { soft: false, settleMs: 0 } as const

export interface Put {
  readonly call: ReadCall
  readonly value: unknown
  /** From before the value was made; without it the value counts as made now. The put ends it. */
  readonly begun?: PutFence | undefined
}

/** What became of a put. */
export interface PutResult {
  readonly outcome: PutOutcome
  /** What the store failed with, if it did: then an eviction of the key waits in the recovery queue. */
  readonly cause?: unknown
}

/** A put on its way. */
interface Writing {
  readonly call: ReadCall
  /** As it was given; what is kept may be another form of it. */
  readonly value: unknown
  readonly kept: Keepable
  readonly fence: PutFence
  readonly hasBegun: boolean
  /** The moment after which others' changes count that are not in the fence. */
  readonly mark: number
  /** Bytes of the encoded value, where it was encoded. */
  readonly bytes?: number
}

export class PutPath {
  readonly #node: CacheNode
  readonly #loads: LoadPath
  readonly #writes: WritePath

  constructor(node: CacheNode, loads: LoadPath, writes: WritePath) {
    this.#node = node
    this.#loads = loads
    this.#writes = writes
  }

  /**
   * What a put stands on that is about to make its value, for whatever key. At once, but for the first of a process: what
   * is not known of the store yet could not be told apart from what changes meanwhile.
   */
  begin(): PutFence | Promise<PutFence> {
    const { coherence, knowledge } = this.#node
    if (knowledge.isAlone || knowledge.tags.confirmed > 0) return this.#fence()
    return coherence.start().then(() => this.#fence())
  }

  /**
   * Writes a value. Trouble with the store never rejects: the old value is evicted here and, through the recovery queue,
   * there; the result says so.
   *
   * @throws ValueError when the value cannot be encoded; ClosedError
   */
  async put(put: Put): Promise<PutResult> {
    const node = this.#node
    const { call, begun } = put
    const fence = begun ?? openPutFence(node.changes, (id) => node.knowledge.stamp(id))
    try {
      if (node.isClosed) throw new ClosedError(node.namespace)
      const result = await this.#put(put, fence)
      if (node.events.has('put')) {
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
    // What is not committed yet must not be read by others: the key is evicted when it is.
    if (node.unit() !== undefined) return this.#evictInstead(call)
    const kind = put.value === undefined || put.value === null ? 'negative' : 'value'
    const made = keepable(call, { kind, value: put.value, loadMs: 0 }, node.events)
    const standing = hasBegun ? this.#standing(put, given) : given
    // A result that is not to be cached still means that what is cached is old.
    if (made === undefined || standing === undefined) return this.#evictInstead(call)
    const isShared = node.remote !== undefined && call.policy.remote
    node.noteLife(made.lifetimes.livesForMs)
    let kept: Keepable
    let encoding: EncodedValue | Promise<EncodedValue> | undefined
    try {
      // Before anything is awaited: the caller may change its value.
      kept = takeIn(node, call, made)
      if (isShared) encoding = encodeKept(node, call, kept)
      else assertKeepable(node, call, kept)
    } catch (error) {
      // The method has made something newer than what is cached, even if this cannot be.
      if (hasBegun) await this.#evictInstead(call)
      throw error
    }
    const writing = { call, value: put.value, kept, hasBegun, fence: standing }
    const mark = this.#forgetHere(key)
    return isShared
      ? this.#putBoth({ ...writing, mark }, encoding)
      : this.#putLocally({ ...writing, mark })
  }

  /** What a put that began earlier stands on, as far as this node knows; `undefined` when it was overtaken. */
  #standing({ call, value }: Put, fence: PutFence): PutFence | undefined {
    const { changes } = this.#node
    const { key, partition } = call.address
    // A message about what was known then may come late.
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
    const { changes, knowledge } = this.#node
    const stamps = ALL_PARTITIONS.map((id) => knowledge.stamp(id))
    return openPutFence(changes, (id) => stamps[id] ?? knowledge.stamp(id))
  }

  async #putBoth(
    put: Writing,
    encoding: EncodedValue | Promise<EncodedValue> | undefined,
  ): Promise<PutResult> {
    const { coherence, events, changes } = this.#node
    const { call, kept, fence, hasBegun, mark } = put
    const { policy, address } = call
    const { key, partition } = address
    await coherence.start()
    const encoded = await this.#orEvict(call, encoding)
    const stamp = fence.stampOf(partition)
    if (changes.hasChanged(key, mark, hasBegun ? stamp.seq : ONLY_HERE)) {
      // What was asked for here after a `set` sees to the key itself.
      return hasBegun ? this.#evictInstead(call) : { outcome: 'not-kept' }
    }
    const { bytes, commit } = storedForm(policy, { ...kept, isPut: true }, stamp.known, encoded)
    const writing = { ...put, bytes: bytes.length }
    if (bytes.length > policy.maxValueBytes) {
      const { maxValueBytes: maxBytes } = policy
      events.emit('too-large', { cache: call.cache, key, bytes: bytes.length, maxBytes })
      const result = await this.#putLocally(writing)
      return result.outcome === 'stored' ? { ...result, outcome: 'local' } : result
    }
    return this.#send(writing, stamp, { bytes, commit })
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
      await this.#evictInstead(call)
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
        return this.#queueInstead(call, cause)
      }
      coherence.applyMutation(reply, [key])
      if (reply.stored) {
        const written = { ...sent, birth: stamp.birth, seq: reply.seq }
        const isLast = !changes.hasChanged(key, mark, reply.seq)
        this.#keepLocally(writing, { stamp: written, at, commit, isLast })
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

  /** Keeps a value in this process only; other nodes may hold the key in their own local tiers, so they are told. */
  async #putLocally(writing: Writing): Promise<PutResult> {
    const { coherence, knowledge, remote, changes, clock } = this.#node
    const { call, fence, hasBegun, mark } = writing
    const { address } = call
    const { key, partition } = address
    const wayHere = { at: clock.now(), commit: 0, isLast: true }
    if (remote === undefined) {
      return this.#keepLocally(writing, { ...wayHere, stamp: fence.stampOf(partition) })
    }
    await coherence.start()
    const stamp = fence.stampOf(partition)
    let reply: MutationReply | undefined
    let cause: unknown
    try {
      ;[reply] = await remote.run('evict', (store) => store.evict([address], HARD))
      if (reply !== undefined) knowledge.noteOwnPut(address, 0, { ...reply, stored: false })
      if (reply !== undefined) await coherence.publish({ kind: 'keys', ...reply, keys: [key] })
    } catch (error) {
      cause = error
      remote.reportDefect('put', error)
      this.#queueInstead(call, error)
    }
    if (reply !== undefined) coherence.applyMutation(reply, [key])
    const now = knowledge.stamp(partition)
    const seq = reply?.seq ?? now.seq
    // Everything up to our own change was heard of: otherwise nobody here knows what else happened to the key.
    const isKnown = reply !== undefined && knowledge.isLevel(stamp) && now.seq >= seq
    const isLast = hasBegun
      ? isKnown && !changes.hasChanged(key, mark, stamp.seq, seq)
      : !changes.hasChanged(key, mark, seq)
    const written = { ...now, birth: stamp.birth, seq }
    const result = this.#keepLocally(writing, { ...wayHere, stamp: written, isLast })
    return cause === undefined ? result : { outcome: hasBegun ? 'queued' : result.outcome, cause }
  }

  /** Check and store are one synchronous step. */
  #keepLocally(
    { call, value, kept, bytes }: Writing,
    written: {
      readonly stamp: Stamp
      readonly at: number
      readonly commit: number
      readonly isLast: boolean
    },
  ): PutResult {
    const node = this.#node
    const { local, settling, changes } = node
    const { key } = call.address
    if (!written.isLast) return { outcome: 'not-kept' }
    // As in the store, a put ends the window: it says what is true.
    settling.close(key)
    const flight = new Flight(call, written.stamp, written.at)
    const entry = localEntryOf(node, call.policy, kept, written.stamp, written.at)
    entry.commit = written.commit
    const isAlone = node.knowledge.isAlone
    changes.note(key, isAlone ? ASKED_HERE : written.stamp.seq, { value })
    const measured = local?.measuresBytes === true ? measureValue(kept.value) : 0
    this.#loads.keepLocally(flight, entry, bytes ?? measured)
    return { outcome: local?.peek(key) === entry ? 'stored' : 'not-kept' }
  }

  /** Everything cached or under way for this key is older than what is being written. Returns the moment after that. */
  #forgetHere(key: string): number {
    const { flights, local, changes } = this.#node
    flights.kill(key, Number.POSITIVE_INFINITY)
    local?.delete(key)
    changes.note(key, ASKED_HERE)
    return changes.now
  }

  async #evictInstead(call: ReadCall): Promise<PutResult> {
    try {
      await this.#writes.evict(call.cache, [call.fullKey], HARD)
      return { outcome: 'not-kept' }
    } catch (error) {
      if (error instanceof EvictionQueued) return { outcome: 'queued', cause: error.cause }
      throw error
    }
  }

  /** What the store failed with was reported. The old value may still be there, and a read may have brought it back here. */
  #queueInstead({ address }: ReadCall, cause: unknown): PutResult {
    const { flights, local, coherence } = this.#node
    flights.kill(address.key, Number.POSITIVE_INFINITY)
    local?.delete(address.key)
    coherence.enqueue([address])
    return { outcome: 'queued', cause }
  }
}
