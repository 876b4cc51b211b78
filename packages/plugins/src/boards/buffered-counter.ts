/** A counter that adds up in the process, and sends the sums. */

import { ClosedError } from '@larder/core'
import type { BoardParts } from '@larder/core/store'
import { nameText } from './common-options.ts'
import { CounterBuffer } from './counter-buffer.ts'
import {
  type Counted,
  type CounterCalls,
  type CounterKey,
  seriesOf,
  totalOf,
} from './counter-calls.ts'
import { assertAdd, type CountOptions } from './counter-options.ts'

/**
 * A counter whose `add` waits for nothing. What was added within the last `buffer` is lost when the process dies; everything that waits
 * is, when it dies while the store is away. What is sent late counts for the period in which it arrives. Closing the manager sends what
 * waits, once, and what the store does not take then is told as lost.
 */
export class BufferedCounter {
  readonly #parts: BoardParts
  readonly #calls: CounterCalls
  readonly #buffer: CounterBuffer
  readonly #bufferMs: number
  #isDue = false
  #isSending = false

  /** Use `createCounter`. */
  constructor(parts: BoardParts, calls: CounterCalls, bufferMs: number) {
    this.#parts = parts
    this.#calls = calls
    this.#bufferMs = bufferMs
    const { clock, events } = parts
    const onLost = (error: unknown): void =>
      events.emit('background-error', { task: 'buffered counter', error })
    this.#buffer = new CounterBuffer(calls, { clock, onLost })
    parts.store.beforeClose(() => this.#buffer.end())
  }

  /**
   * How many sums were given up: because the store was away for half an hour or when the manager was closed, because sums of 10 000
   * keys waited already, or because a count would have left its range. `background-error` events tell it as well.
   */
  get lost(): number {
    return this.#buffer.lost
  }

  /** Adds; below zero it takes away. @throws InvalidOptionError; BoardRangeError; ClosedError, because it would not be sent any more */
  add(key: CounterKey, by = 1): void {
    const name = nameText(key, 'counter.add.key')
    assertAdd(by, {}, 'counter.add')
    if (this.#parts.store.isClosed) throw new ClosedError(this.#parts.namespace, 'counter.add')
    this.#buffer.add(name, by)
    if (this.#buffer.isFull) this.#send()
    else this.#sendLater()
  }

  /**
   * Sends what waits now.
   *
   * @returns how many sums still wait, because the store did not answer; they are sent again by themselves
   */
  async flush(): Promise<number> {
    await this.#buffer.flush()
    return this.#buffer.waiting
  }

  /** As that of `Counter`; what waits in this or another process is not in it. */
  async count(key: CounterKey, options: CountOptions = {}): Promise<number> {
    return totalOf(this.#calls, key, { options, where: 'counter.count' })
  }

  /** As that of `Counter`; what waits in this or another process is not in it. */
  async series(key: CounterKey, options: CountOptions = {}): Promise<readonly Counted[]> {
    return seriesOf(this.#calls, key, { options, where: 'counter.series' })
  }

  #sendLater(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#parts.clock.schedule(
      this.#bufferMs,
      () => {
        this.#isDue = false
        this.#send()
      },
      'background',
    )
  }

  #send(): void {
    if (this.#isSending) return
    this.#isSending = true
    const sent = this.#buffer.flush().then(() => {
      this.#isSending = false
      if (this.#buffer.isFull) this.#send()
      else if (this.#buffer.waiting > 0) this.#sendLater()
    })
    this.#parts.work.run('buffered counter', sent)
  }
}
