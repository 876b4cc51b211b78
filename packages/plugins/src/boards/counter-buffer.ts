/**
 * Sums that wait to be sent.
 *
 * A sum that is sent gets an id. When the answer is lost, it is sent again under the same id, and what is added meanwhile goes into
 * another sum, which is not sent before; so nothing is counted twice, and of each key two sums wait at most. Ids are remembered for an
 * hour, so a sum that is older is given up, and its loss is told.
 */

import { randomUUID } from 'node:crypto'
import { BoardRangeError } from '@larder/core'
import type { Clock } from '@larder/core/store'
import type { CounterCalls } from './counter-calls.ts'

interface Sum {
  readonly by: number
  readonly id: string
  readonly sentAt: Instant
}

/** On both clocks: one stands still while the machine sleeps, and the other may be set. */
interface Instant {
  readonly ms: number
  readonly wallMs: number
}

/** Ids are remembered for twice as long. */
const GIVEN_UP_MS = 1_800_000
/** Of how many keys sums wait at most while the store is away. */
const MOST_WAITING = 10_000
/** How many are sent together at most. */
const MOST_AT_ONCE = 250

/** Why sums are given up. */
const TOO_OLD = 'they could not be sent for half an hour'
const NO_ROOM = `the store is away, and sums of ${MOST_WAITING} keys wait already`
const AT_THE_END = 'the manager was closed, and the store did not take them'

export class CounterBuffer {
  readonly #calls: CounterCalls
  readonly #clock: Clock
  readonly #onLost: (error: unknown) => void
  readonly #sums = new Map<string, number>()
  /** Sent, and not answered: they may have been counted or not. */
  readonly #unanswered = new Map<string, Sum>()
  #flushing: Promise<void> = Promise.resolve()
  /** The flush that has not begun yet: it will send everything that was added until then. */
  #next: Promise<void> | undefined
  /** Of the last flush, something was not answered. */
  #isAway = false
  #lost = 0
  /** How many were given up and not told yet, by the reason: told together, because there may be thousands. */
  readonly #untold = new Map<string, number>()

  constructor(
    calls: CounterCalls,
    { clock, onLost }: { readonly clock: Clock; readonly onLost: (error: unknown) => void },
  ) {
    this.#calls = calls
    this.#clock = clock
    this.#onLost = onLost
  }

  /** How many sums wait to be sent, or sent again. */
  get waiting(): number {
    return this.#sums.size + this.#unanswered.size
  }

  /** How many sums were given up. */
  get lost(): number {
    return this.#lost
  }

  /** So much waits that it is better sent at once; while the store is away, that would not help. */
  get isFull(): boolean {
    return this.#sums.size >= MOST_WAITING && !this.#isAway
  }

  /** While the store is away, what is added to one key too many is given up. @throws BoardRangeError */
  add(key: string, by: number): void {
    const before = this.#sums.get(key)
    if (before === undefined && this.#isAway && this.#sums.size >= MOST_WAITING) {
      this.#giveUp(NO_ROOM)
      return
    }
    const sum = (before ?? 0) + by
    if (!Number.isSafeInteger(sum)) throw this.#rangeError()
    this.#sums.set(key, sum)
  }

  /** Sends everything that waits, once. Never rejects. One after the other: a sum that is on its way is not sent a second time. */
  flush(): Promise<void> {
    this.#next ??= this.#flushing.then(() => {
      this.#next = undefined
      return this.#send()
    })
    this.#flushing = this.#next
    return this.#next
  }

  /** Sends everything that waits, also to a store that failed before, and gives up what is not answered: for the end. */
  end(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#end())
    return this.#flushing
  }

  async #end(): Promise<void> {
    await this.#send({ insists: true })
    this.#giveUp(AT_THE_END, this.waiting)
    this.#sums.clear()
    this.#unanswered.clear()
    this.#tell()
  }

  async #send({ insists = false } = {}): Promise<void> {
    const isAnswered = await this.#sendEach(Array.from(this.#unanswered.keys()), insists)
    // What is added to a key whose sum may have been counted waits for its answer.
    const fresh = Array.from(this.#sums.keys()).filter((key) => !this.#unanswered.has(key))
    if (isAnswered) await this.#sendEach(fresh, insists)
    this.#isAway = this.#unanswered.size > 0
    this.#tell()
  }

  /**
   * Some at a time: of thousands at once the last ones would be late, and none of them lost. Ends where of some nothing is answered, because
   * the store is away.
   */
  async #sendEach(keys: readonly string[], insists: boolean): Promise<boolean> {
    for (let i = 0; i < keys.length; i += MOST_AT_ONCE) {
      const some = keys.slice(i, i + MOST_AT_ONCE)
      await Promise.all(some.map((key) => this.#sendOne(key, insists)))
      if (some.every((key) => this.#unanswered.has(key))) return false
    }
    return true
  }

  async #sendOne(key: string, insists: boolean): Promise<void> {
    const sum = this.#unanswered.get(key) ?? this.#taken(key)
    // Before it is sent, and not after it failed: this process may have stood still for longer than ids are remembered.
    if (this.#isTooOld(sum)) {
      this.#unanswered.delete(key)
      this.#giveUp(TOO_OLD)
      return
    }
    try {
      const { outcome } = await this.#calls.add(key, sum.by, { id: sum.id, insists })
      this.#unanswered.delete(key)
      if (outcome === 'range') {
        this.#lost += 1
        this.#onLost(this.#rangeError())
      }
    } catch {
      // The store told its events why; the sum waits.
    }
  }

  /** Takes what waits for a key as a sum that can be sent. */
  #taken(key: string): Sum {
    const sum = { by: this.#sums.get(key) ?? 0, id: randomUUID(), sentAt: this.#now }
    this.#sums.delete(key)
    this.#unanswered.set(key, sum)
    return sum
  }

  #isTooOld({ sentAt }: Sum): boolean {
    const { ms, wallMs } = this.#now
    return Math.max(ms - sentAt.ms, wallMs - sentAt.wallMs) > GIVEN_UP_MS
  }

  get #now(): Instant {
    return { ms: this.#clock.now(), wallMs: this.#clock.wall?.() ?? Date.now() }
  }

  #giveUp(why: string, count = 1): void {
    if (count === 0) return
    this.#lost += count
    this.#untold.set(why, (this.#untold.get(why) ?? 0) + count)
  }

  #tell(): void {
    const untold = [...this.#untold]
    this.#untold.clear()
    for (const [why, count] of untold)
      this.#onLost(new Error(`${count} sums of ${this.#name} were given up: ${why}.`))
  }

  #rangeError(): BoardRangeError {
    return new BoardRangeError(this.#name)
  }

  get #name(): string {
    return `the counter ${this.#calls.options.rule.counter}`
  }
}
