/**
 * The hold of a queue while a batch is written: renewed in time, and given up as soon as another process could have it.
 *
 * What counts is this process' own clock since before the last answered request, and not an answer: a process that stood still, or
 * whose store hangs, must not go on writing.
 */

import { LockLostError } from '@larder/core'
import type { Clock, QueueHold } from '@larder/core/store'

export interface HeldQueueParts {
  /** Names the queue in errors. */
  readonly name: string
  readonly clock: Clock
  readonly hold: QueueHold
  /** When the request that gave the hold was sent. */
  readonly sentAt: number
  readonly holdMs: number
  /** Whether the store agrees; rejects when it does not answer. */
  renew(hold: QueueHold): Promise<boolean>
}

const RENEWALS = 3

export class HeldQueue {
  readonly #parts: HeldQueueParts
  readonly #abort = new AbortController()
  #endsAt: number
  #cancelEnd: () => void
  #cancelRenewal: () => void
  #isOver = false

  constructor(parts: HeldQueueParts) {
    this.#parts = parts
    this.#endsAt = parts.sentAt + parts.holdMs
    this.#cancelEnd = this.#scheduleEnd()
    this.#cancelRenewal = this.#scheduleRenewal()
  }

  get hold(): QueueHold {
    return this.#parts.hold
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Whether the queue may still be held; asked before anything is begun. */
  get isHeld(): boolean {
    if (this.#abort.signal.aborted) return false
    if (this.#parts.clock.now() < this.#endsAt) return true
    this.lose()
    return false
  }

  /** The work must stop. */
  lose(reason: unknown = new LockLostError(this.#parts.name)): void {
    this.end()
    if (!this.#abort.signal.aborted) this.#abort.abort(reason)
  }

  /** The work is done: nothing is renewed any more. */
  end(): void {
    this.#isOver = true
    this.#cancelEnd()
    this.#cancelRenewal()
  }

  #scheduleEnd(): () => void {
    const { clock } = this.#parts
    return clock.schedule(
      this.#endsAt - clock.now(),
      () => {
        if (!this.#isOver) this.lose()
      },
      'caller',
    )
  }

  #scheduleRenewal(): () => void {
    const { clock, holdMs } = this.#parts
    return clock.schedule(holdMs / RENEWALS, () => void this.#renew(), 'background')
  }

  async #renew(): Promise<void> {
    const { clock, holdMs, hold, renew } = this.#parts
    const sentAt = clock.now()
    try {
      const isHeld = await renew(hold)
      if (this.#isOver) return
      if (!isHeld) return this.lose()
      this.#endsAt = sentAt + holdMs
      this.#cancelEnd()
      this.#cancelEnd = this.#scheduleEnd()
    } catch {
      // The store may answer the next time; the end stands until then.
      if (this.#isOver) return
    }
    this.#cancelRenewal = this.#scheduleRenewal()
  }
}
