/**
 * Updates in a manager without a shared tier. The check and the writing are one synchronous step, and so are the look and the callback
 * before it, if the callback is synchronous.
 */

import type { LocalEntry } from '../entry/local-entry.ts'
import { judge } from './judge.ts'
import { keepable } from './keep.ts'
import type { CacheNode } from './node.ts'
import type { PutEnds } from './put-ends.ts'
import { openPutFence } from './put-fence.ts'
import type { ReadCall } from './read-call.ts'
import type { Seen, TryOutcome, UpdatePlace } from './update-place.ts'
import { assertKeepable, ownCopy, takeIn } from './value-forms.ts'
import type { WritePath } from './write-path.ts'

export interface SeenHere extends Seen {
  readonly entry: LocalEntry | undefined
}

const HARD = { soft: false, settleMs: 0 } as const

export class UpdateNear implements UpdatePlace<SeenHere> {
  readonly #node: CacheNode
  readonly #ends: PutEnds
  readonly #writes: WritePath

  constructor(node: CacheNode, ends: PutEnds, writes: WritePath) {
    this.#node = node
    this.#ends = ends
    this.#writes = writes
  }

  look(call: ReadCall): SeenHere {
    const node = this.#node
    const { changes, clock, knowledge } = node
    const entry = this.#entryOf(call)
    const isUsable = entry !== undefined && this.#isUsable(call, entry)
    const value = isUsable ? ownCopy(node, call.policy, entry.value) : undefined
    const fence = openPutFence(changes, clock.now(), (id) => knowledge.stamp(id))
    // Taken now: what is evicted by a tag from here on is younger.
    const stamp = fence.stampOf(call.address.partition)
    return { value, entry, fence: { ...fence, stampOf: () => stamp } }
  }

  async write(call: ReadCall, seen: SeenHere, value: unknown): Promise<TryOutcome<SeenHere>> {
    const node = this.#node
    const { changes, clock, events } = node
    const { key, partition } = call.address
    const { fence } = seen
    const kind = value === null ? 'negative' : 'value'
    const made = keepable(call, { kind, value, loadMs: 0 }, events)
    const kept = made && takeIn(node, call, made)
    if (kept !== undefined) assertKeepable(node, call, kept)
    const isOvertaken = changes.hasChanged(key, fence.mark) || this.#entryOf(call) !== seen.entry
    if (isOvertaken) return { refused: undefined }
    if (kept === undefined) {
      await this.#writes.evict(call.cache, [key], HARD)
      return 'removed'
    }
    node.noteLife(kept.lifetimes.livesForMs)
    const mark = this.#ends.forgetHere(key)
    const writing = { call, value, kept, fence, hasBegun: true, mark }
    const written = { stamp: fence.stampOf(partition), at: clock.now(), commit: 0, isLast: true }
    this.#ends.keepLocally(writing, written)
    return 'stored'
  }

  #entryOf({ policy, fullKey }: ReadCall): LocalEntry | undefined {
    return policy.local ? this.#node.local?.peek(fullKey) : undefined
  }

  #isUsable(call: ReadCall, entry: LocalEntry): boolean {
    const { knowledge, clock } = this.#node
    if (entry.kind === 'error') return false
    switch (judge(entry, call, knowledge, clock.now())) {
      case 'fresh':
      case 'early':
      case 'stale':
      case 'backing-off':
        return true
      default:
        return false
    }
  }
}
