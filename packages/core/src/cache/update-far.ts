/**
 * Updates in the shared tier: the store compares the entry with the one that was seen, and replaces it, in one step.
 *
 * The look goes to the store, and never to the local tier: a local copy may be old, and the callback would run in vain. The entry
 * that was seen is named by its commit id, which every write makes anew. Where nothing was found that can be used, the
 * partition's number is named too: the key must not have been evicted since, because the callback may have asked the source
 * before that. An eviction by tag is no change of the key; the value is born before it, as a loaded one is, and falls with it.
 *
 * A reply that is lost leaves open what the store did. The request is sent once more: the store knows the commit id of an
 * entry that it has written. If somebody else has changed the entry by then, it is unknown what came of the update,
 * which rejects. It is never made again from what is there then, which may contain it.
 */

import type { SwapReply, SwapRequest } from '../contracts/remote-store.ts'
import { field, isEntry } from '../entry/envelope.ts'
import { ageOf } from '../entry/local-entry.ts'
import type { Stamp } from '../entry/stamp.ts'
import { UpdateFailedError } from '../errors/update-error.ts'
import { type Keepable, keepable } from './keep.ts'
import type { CacheNode } from './node.ts'
import type { PutEnds, Writing, WrittenValue } from './put-ends.ts'
import { openPutFence, type PutFence } from './put-fence.ts'
import type { ReadCall } from './read-call.ts'
import type { StoredEntries } from './stored-entries.ts'
import { sealed, storedForm } from './stored-form.ts'
import type { Seen, TryOutcome, UpdatePlace } from './update-place.ts'
import { encodeKept, takeIn } from './value-forms.ts'
import { witnessOf } from './witness.ts'

export interface SeenThere extends Seen {
  readonly stamp: Stamp
  /** Commit id of what is there, whether it can be used or not; 0 for nothing. */
  readonly commit: number
  /** As the store's request has it. */
  readonly since: number
}

/** A look that is under way. */
interface Look {
  readonly fence: PutFence
  readonly stamp: Stamp
  readonly at: number
}

/** What a try is to write. Without `kept` it removes. */
interface Written {
  readonly bytes: Uint8Array
  readonly commit: number
  readonly kept?: Keepable
}

/** Less than any sequence number: the store refuses, and says where the partition stands. */
const BELOW_ALL = 1
const REMOVAL: Written = { bytes: new Uint8Array(0), commit: 0 }
/** Failures after which it is certain that nothing was done. */
const NOT_DONE: readonly unknown[] = ['LARDER_STORE_UNAVAILABLE', 'LARDER_STORE_REFUSED']

export class UpdateFar implements UpdatePlace<SeenThere> {
  readonly #node: CacheNode
  readonly #ends: PutEnds
  readonly #stored: StoredEntries

  constructor(node: CacheNode, ends: PutEnds, stored: StoredEntries) {
    this.#node = node
    this.#ends = ends
    this.#stored = stored
  }

  /** @throws UpdateFailedError */
  async look(call: ReadCall): Promise<SeenThere> {
    const { remote, coherence, knowledge } = this.#node
    const { maxStalenessMs } = call.policy
    await coherence.start()
    await coherence.prepareToJudge(maxStalenessMs)
    // A value or an eviction of this key that waits for the store is newer than what the store has.
    if (remote === undefined || knowledge.isInDoubt(call.fullKey)) {
      throw new UpdateFailedError(call.fullKey, 'an earlier change of it waits for the store')
    }
    if (!knowledge.canJudge(maxStalenessMs)) {
      throw new UpdateFailedError(call.fullKey, 'the store cannot be reached')
    }
    const look = this.#begin(call)
    return this.#told(call, look, async () => {
      const bytes = await new Promise<Uint8Array | undefined>((resolve, reject) => {
        const received = (_: unknown, found: Uint8Array | undefined): void => resolve(found)
        const failed = (_: unknown, error: unknown): void => reject(error)
        remote.read(call.address, { received, failed }, undefined)
      })
      return { bytes, seq: knowledge.isLevel(look.stamp) ? look.stamp.seq : BELOW_ALL }
    })
  }

  async write(call: ReadCall, seen: SeenThere, value: unknown): Promise<TryOutcome<SeenThere>> {
    const { coherence, knowledge } = this.#node
    const { address } = call
    const { bytes, commit, kept } = await this.#encode(call, seen, value)
    const look = this.#begin(call)
    const { heard } = knowledge.partition(address.partition)
    const livesMs = kept?.lifetimes.livesForMs ?? 1
    const { commit: saw, since } = seen
    let reply: SwapReply
    try {
      reply = await this.#swap(call, { bytes, livesMs, seen: saw, since })
    } catch (error) {
      look.fence.end()
      throw error
    }
    if (!reply.stored) {
      const there = reply
      return { refused: await this.#told(call, look, async () => there) }
    }
    look.fence.end()
    const { stored, ...change } = reply
    const isKept = stored && kept !== undefined
    knowledge.noteOwnPut(address, commit, { ...change, stored: isKept }, heard)
    try {
      await coherence.publish({ kind: 'keys', ...change, keys: [address.key] })
    } catch (cause) {
      // It is done, and the others were not told: an eviction tells them.
      this.#ends.queueInstead(call, cause)
      return isKept ? 'stored' : 'removed'
    }
    coherence.applyMutation(change, [address.key], heard)
    if (kept === undefined) return 'removed'
    const { mark } = seen.fence
    const writing = { call, value, kept, fence: seen.fence, hasBegun: true, mark }
    this.#keep(
      { ...writing, bytes: bytes.length },
      {
        stamp: { ...look.stamp, birth: seen.stamp.birth, seq: change.seq },
        at: look.at,
        commit,
      },
    )
    return 'stored'
  }

  /** As for a put: only if no change is known that is newer. */
  #keep(writing: Writing, written: Omit<WrittenValue, 'isLast'>): void {
    const { key } = writing.call.address
    const isLast = !this.#node.changes.hasChanged(key, writing.mark, written.stamp.seq)
    this.#ends.keepLocally(writing, { ...written, isLast })
  }

  /** Before what is there is asked for: what follows from it is no younger than this moment. */
  #begin({ address }: ReadCall): Look {
    const { changes, clock, knowledge } = this.#node
    const at = clock.now()
    const fence = openPutFence(changes, at, (id) => knowledge.stamp(id))
    return { fence, stamp: knowledge.stamp(address.partition), at }
  }

  /** Takes what the store tells. @throws UpdateFailedError, also for an answer that is none */
  async #told(
    call: ReadCall,
    look: Look,
    ask: () => Promise<{ readonly bytes: Uint8Array | undefined; readonly seq: number }>,
  ): Promise<SeenThere> {
    try {
      return await this.#seen(call, look, await ask())
    } catch (cause) {
      look.fence.end()
      throw new UpdateFailedError(call.fullKey, 'the store did not tell what is there', { cause })
    }
  }

  async #seen(
    call: ReadCall,
    { fence, stamp, at }: Look,
    there: { readonly bytes: Uint8Array | undefined; readonly seq: number },
  ): Promise<SeenThere> {
    const { bytes } = there
    const commit = bytes !== undefined && isEntry(bytes) ? field.commit(bytes) : 0
    const unusable = {
      value: undefined,
      fence,
      stamp,
      commit,
      since: Math.max(BELOW_ALL, there.seq),
    }
    if (bytes === undefined) return unusable
    const witness = witnessOf(call, stamp, at)
    const entry = this.#stored.inspect(bytes, witness)
    if (typeof entry === 'number' || entry.kind === 'error') return unusable
    if (ageOf(entry, this.#node.clock.now()) === 'fallback') return unusable
    const isDecoded = await this.#stored.decodeUnshared(witness, entry, bytes)
    return isDecoded ? { value: entry.value, fence, stamp, commit, since: 0 } : unusable
  }

  /** @throws ValueError; UpdateFailedError for a value that the store cannot be given */
  async #encode(call: ReadCall, { stamp }: SeenThere, value: unknown): Promise<Written> {
    const node = this.#node
    const { cache, fullKey: key, policy } = call
    const kind = value === null ? 'negative' : 'value'
    const made = keepable(call, { kind, value, loadMs: 0 }, node.events)
    if (made === undefined) return REMOVAL
    const kept = { ...takeIn(node, call, made), isPut: true }
    const payload = encodeKept(node, call, kept)
    if (payload === undefined) throw new TypeError('A remote tier needs a codec')
    const whole = await sealed(node, call, { kept, payload, birth: stamp.known })
    if (whole === undefined) throw new UpdateFailedError(key, 'a codec step failed')
    const bytes = storedForm(call, kept, whole)
    const { maxValueBytes: maxBytes } = policy
    if (bytes.length > maxBytes) {
      node.events.emit('too-large', { cache, key, bytes: bytes.length, maxBytes })
      throw new UpdateFailedError(key, `the value takes more than ${maxBytes} bytes`)
    }
    node.noteLife(kept.lifetimes.livesForMs)
    return { bytes, commit: whole.commit, kept }
  }

  /** @throws UpdateFailedError */
  async #swap(call: ReadCall, request: SwapRequest): Promise<SwapReply> {
    const { fullKey, address } = call
    try {
      return await this.#ask(call, request)
    } catch (cause) {
      const isCertain = NOT_DONE.includes((cause as { code?: unknown } | undefined)?.code)
      if (isCertain) throw new UpdateFailedError(fullKey, 'the store did not take it', { cause })
      const reply = await this.#ask(call, request).catch(() => undefined)
      if (reply?.stored === true) return reply
      // Whatever is kept here may be what the update has replaced.
      this.#ends.forgetHere(address.key)
      const what = 'the reply of the store was lost'
      throw new UpdateFailedError(fullKey, what, { mayBeDone: true, cause })
    }
  }

  async #ask({ address }: ReadCall, request: SwapRequest): Promise<SwapReply> {
    const { remote } = this.#node
    const reply = await remote?.run('swap', async (store) => store.swap?.(address, request))
    if (reply === undefined) throw new TypeError('The store cannot swap')
    return reply
  }
}
