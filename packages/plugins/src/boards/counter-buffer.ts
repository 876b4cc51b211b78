/**
 * Sums that wait to be sent.
 *
 * A sum that is sent gets an id. When the answer is lost, it is sent again under the same id, and what is added meanwhile goes into
 * another sum; so nothing is counted twice. Ids are remembered for an hour, so a sum that is older is given up, and its loss is told.
 */

import { randomUUID } from 'node:crypto'
import { BoardRangeError } from '@larder/core'
import type { Clock } from '@larder/core/store'
import type { CounterCalls } from './counter-calls.ts'

interface Sum {
  readonly key: string
  readonly by: number
  readonly id: string
  readonly sentAt: number
}

/** Ids are remembered for twice as long. */
const GIVEN_UP_MS = 1_800_000
/** How many sums wait at most while the store is away. */
const MOST_WAITING = 10_000

export class CounterBuffer {
  readonly #calls: CounterCalls
  readonly #clock: Clock
  readonly #onLost: (error: unknown) => void
  #sums = new Map<string, number>()
  #unanswered: readonly Sum[] = []
  #flushing: Promise<void> = Promise.resolve()
  #lost = 0

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
    return this.#sums.size + this.#unanswered.length
  }

  /** How many sums were given up. */
  get lost(): number {
    return this.#lost
  }

  get isFull(): boolean {
    return this.#sums.size >= MOST_WAITING
  }

  /** @throws BoardRangeError */
  add(key: string, by: number): void {
    const sum = (this.#sums.get(key) ?? 0) + by
    if (!Number.isSafeInteger(sum))
      throw new BoardRangeError(`the counter ${this.#calls.options.rule.counter}`)
    this.#sums.set(key, sum)
  }

  /** Sends everything that waits, once. Never rejects. One after the other: a sum that is on its way is not sent a second time. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#send())
    return this.#flushing
  }

  async #send(): Promise<void> {
    const now = this.#clock.now()
    const old = this.#unanswered
    const fresh = Array.from(this.#sums, ([key, by]) => ({
      key,
      by,
      id: randomUUID(),
      sentAt: now,
    }))
    this.#sums = new Map()
    this.#unanswered = []
    const failed: Sum[] = []
    await Promise.all(
      [...old, ...fresh].map(async (sum) => {
        try {
          const { outcome } = await this.#calls.add(sum.key, sum.by, sum.id)
          if (outcome === 'range')
            this.#giveUp(new BoardRangeError(`the counter ${this.#calls.options.rule.counter}`))
        } catch (error) {
          const isOld = this.#clock.now() - sum.sentAt > GIVEN_UP_MS
          if (isOld || failed.length >= MOST_WAITING) this.#giveUp(error)
          else failed.push(sum)
        }
      }),
    )
    this.#unanswered = failed
  }

  #giveUp(error: unknown): void {
    this.#lost += 1
    this.#onLost(error)
  }
}
