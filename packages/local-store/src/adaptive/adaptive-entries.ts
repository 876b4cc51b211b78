/**
 * Entries, kept by the better of two orders: by last use, or by frequency of use, whichever the load proves right.
 *
 * Both orders are kept for all keys, each as if it had the whole room. Entries are held that the leading order keeps; what
 * the other one keeps besides are keys without an entry, by which it is judged. When the lead changes, what only the old
 * leader kept is dropped little by little, as room is needed: a `set` must never take long.
 *
 * A hit moves nothing. Mostly the store does not even hear of it, but asks before it drops an entry (`askAboutUse`).
 */

import type { Bounds } from '../bounds.ts'
import { FrequencyOrder } from './frequency-order.ts'
import { Leader } from './leader.ts'
import { isFull, MOST_SPARED, type OrderOwner } from './order.ts'
import { RecencyOrder } from './recency-order.ts'
import { MARK, NO_SLOT, Slots } from './slots.ts'

export class AdaptiveEntries<Entry extends object> implements OrderOwner {
  readonly bounds: Bounds
  readonly slots: Slots<Entry>
  /** Is told of each entry that is dropped, when everything is in its place again. */
  onDrop: ((key: string, entry: Entry) => void) | undefined
  wasUsed: ((entry: Entry) => boolean) | undefined
  /** How many entries are held. */
  count = 0
  bytes = 0
  readonly #leader: Leader
  readonly #recency: RecencyOrder
  readonly #frequency: FrequencyOrder
  /** Slots that were found used while one order did not know them. */
  readonly #behind: number[] = []
  readonly #dropped: { readonly key: string; readonly entry: Entry }[] = []
  /** The slot at which the search for entries that the leader does not keep goes on. */
  #searchAt = 0

  constructor(bounds: Bounds, leader: Leader = new Leader(bounds.maxEntries)) {
    this.bounds = bounds
    this.#leader = leader
    this.slots = new Slots(bounds.maxBytes !== Number.POSITIVE_INFINITY)
    this.#recency = new RecencyOrder(this)
    this.#frequency = new FrequencyOrder(this)
  }

  /** Empty ones, which begin with the leader that these found. */
  emptied(): AdaptiveEntries<Entry> {
    const empty = new AdaptiveEntries<Entry>(this.bounds, this.#leader)
    empty.onDrop = this.onDrop
    empty.wasUsed = this.wasUsed
    return empty
  }

  get(key: string): Entry | undefined {
    const slot = this.slots.of(key)
    if (slot === NO_SLOT) return undefined
    const entry = this.slots.entries[slot]
    if (entry !== undefined) this.slots.mark(slot, MARK.touched)
    return entry
  }

  peek(key: string): Entry | undefined {
    const slot = this.slots.of(key)
    return slot === NO_SLOT ? undefined : this.slots.entries[slot]
  }

  /** `size`: at most `maxBytes`. */
  set(key: string, entry: Entry, size: number): void {
    const known = this.slots.of(key)
    if (known !== NO_SLOT && this.slots.entries[known] !== undefined) {
      this.#replace(known, entry, size)
    } else {
      const slot = known === NO_SLOT ? this.slots.take(key) : known
      this.#resize(slot, size)
      this.#missed(slot)
      this.#hold(slot, entry)
    }
    this.#catchUp()
    this.#tell()
  }

  delete(key: string): boolean {
    const slot = this.slots.of(key)
    if (slot === NO_SLOT) return false
    const entry = this.#letGo(slot)
    this.#recency.remove(slot)
    this.#frequency.remove(slot)
    this.slots.release(slot)
    return entry !== undefined
  }

  *keys(): Generator<string> {
    for (let slot = 0; slot < this.slots.count; slot++)
      if (this.slots.entries[slot] !== undefined) yield this.slots.keyOf(slot)
  }

  settle(slot: number): void {
    const { slots } = this
    const entry = slots.entries[slot]
    if (entry === undefined) return
    const wasTouched = slots.has(slot, MARK.touched)
    // Asked in any case: the question ends the use that it is about.
    if (this.wasUsed?.(entry) !== true && !wasTouched) return
    slots.unmark(slot, MARK.touched)
    const isRecent = this.#recency.has(slot)
    const isFrequent = this.#frequency.has(slot)
    if (isRecent) slots.mark(slot, MARK.reused)
    if (isFrequent) this.#frequency.use(slot)
    if (isRecent === isFrequent) return
    this.#leader.award(isRecent ? 'recency' : 'frequency')
    // Not at once: an order asks this while it makes room, and must not be called meanwhile.
    if (!slots.has(slot, MARK.behind)) this.#behind.push(slot)
    slots.mark(slot, MARK.behind)
  }

  left(slot: number): void {
    if (!this.#isLed(slot)) this.#drop(slot)
    if (!this.slots.isKnown(slot)) this.slots.release(slot)
  }

  /** A key was asked for whose entry is not held. An order that has kept it would have had a hit. */
  #missed(slot: number): void {
    const isRecent = this.#recency.has(slot)
    const isFrequent = this.#frequency.has(slot)
    if (isRecent !== isFrequent) this.#leader.award(isRecent ? 'recency' : 'frequency')
    if (isRecent) this.#recency.touch(slot)
    else this.#recency.add(slot)
    if (isFrequent) this.#frequency.use(slot)
    else this.#frequency.add(slot)
  }

  #replace(slot: number, entry: Entry, size: number): void {
    if (size === this.slots.sizeOf(slot)) {
      this.slots.entries[slot] = entry
      if (this.#recency.has(slot)) this.#recency.touch(slot)
      return
    }
    this.#letGo(slot)
    this.#resize(slot, size)
    // The leader has to have made room for what is held.
    if (!this.#recency.has(slot)) this.#recency.add(slot)
    if (!this.#frequency.has(slot)) this.#frequency.add(slot)
    this.#hold(slot, entry)
  }

  /** Of a slot that holds nothing: the orders may have to make room for what it is going to hold. */
  #resize(slot: number, size: number): void {
    if (size === this.slots.sizeOf(slot)) return
    const isRecent = this.#recency.has(slot)
    this.#recency.remove(slot)
    this.#frequency.resize(slot, () => this.slots.resize(slot, size))
    if (isRecent) this.#recency.add(slot)
  }

  #hold(slot: number, entry: Entry): void {
    const size = this.slots.sizeOf(slot)
    this.#makeRoom(size)
    this.slots.entries[slot] = entry
    this.count += 1
    this.bytes += size
  }

  #letGo(slot: number): Entry | undefined {
    const entry = this.slots.entries[slot]
    if (entry === undefined) return undefined
    this.slots.entries[slot] = undefined
    this.count -= 1
    this.bytes -= this.slots.sizeOf(slot)
    return entry
  }

  /** Drops entries that the leader does not keep. When none is left, the leader's own bounds have made room enough. */
  #makeRoom(size: number): void {
    const { slots } = this
    // Two rounds find whatever there is.
    const most = 2 * slots.count
    for (let looks = 0, spared = 0; looks <= most && isFull(this, size, this.bounds); looks++) {
      this.#searchAt = (this.#searchAt + 1) % slots.count
      const slot = this.#searchAt
      if (slots.entries[slot] === undefined || this.#isLed(slot)) continue
      if (looks < slots.count && spared < MOST_SPARED) {
        this.settle(slot)
        // The leader will keep it.
        if (slots.has(slot, MARK.behind)) spared += 1
        else this.#drop(slot)
      } else this.#drop(slot)
    }
  }

  /** What was found used is known to both orders from now on. The rest waits for the next time. */
  #catchUp(): void {
    for (let most = MOST_SPARED; most > 0; most--) {
      const slot = this.#behind.pop()
      if (slot === undefined) return
      if (!this.slots.has(slot, MARK.behind)) continue
      this.slots.unmark(slot, MARK.behind)
      if (this.slots.entries[slot] === undefined) continue
      if (!this.#recency.has(slot)) this.#recency.add(slot)
      else if (!this.#frequency.has(slot)) this.#frequency.add(slot)
    }
  }

  #isLed(slot: number): boolean {
    return this.#leader.name === 'recency' ? this.#recency.has(slot) : this.#frequency.has(slot)
  }

  #drop(slot: number): void {
    const entry = this.#letGo(slot)
    if (entry !== undefined) this.#dropped.push({ key: this.slots.keyOf(slot), entry })
  }

  /** A listener may call the store. */
  #tell(): void {
    for (let last = this.#dropped.pop(); last !== undefined; last = this.#dropped.pop())
      this.onDrop?.(last.key, last.entry)
  }
}
