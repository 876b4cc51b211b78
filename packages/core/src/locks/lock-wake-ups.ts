/**
 * The waiters of this process by owner, and the wake-ups that shorten their waiting.
 *
 * A wake-up travels on another connection than the reply to the question that queued the waiter, and may arrive first. So a
 * waiter is known from before it asks, and remembers a wake-up until it waits.
 */

import type { Clock } from '../contracts/clock.ts'
import { onAbort } from '../lifecycle/on-abort.ts'
import { PassingMap } from '../lifecycle/passing.ts'

export class LockWakeUps {
  readonly #clock: Clock
  readonly #waiters = new PassingMap<string, LockWaiter>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Makes an owner known; `done` forgets it. */
  expect(owner: string): LockWaiter {
    const waiter = new LockWaiter(this.#clock, owner, this.#waiters)
    this.#waiters.set(owner, waiter)
    return waiter
  }

  /** Wakes the waiter of an owner, or everybody. */
  wake(owner?: string): void {
    if (owner !== undefined) this.#waiters.get(owner)?.wake()
    else for (const waiter of this.#waiters.values()) waiter.wake()
  }
}

/** One waiter, from before its first question to the end. */
export class LockWaiter {
  readonly #clock: Clock
  readonly #owner: string
  readonly #all: PassingMap<string, LockWaiter>
  #wasWoken = false
  #end: (() => void) | undefined

  constructor(clock: Clock, owner: string, all: PassingMap<string, LockWaiter>) {
    this.#clock = clock
    this.#owner = owner
    this.#all = all
  }

  /** Stops listening for wake-ups. */
  done(): void {
    this.#all.delete(this.#owner)
  }

  /** Resolves after `ms`, or sooner when woken or aborted; at once when woken since the last time. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#wasWoken || signal.aborted || ms <= 0) {
      this.#wasWoken = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      const end = (): void => {
        this.#end = undefined
        cancel()
        forget()
        resolve()
      }
      const cancel = this.#clock.schedule(Math.ceil(ms), end, 'caller')
      this.#end = end
      const forget = onAbort(signal, end)
    })
  }

  wake(): void {
    if (this.#end === undefined) this.#wasWoken = true
    else this.#end()
  }
}
