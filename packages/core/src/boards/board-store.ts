/** A board provider behind our own deadline and a breaker: a store that hangs must not hang every request. */

import type { BoardProvider } from '../contracts/board-provider.ts'
import type { Clock } from '../contracts/clock.ts'
import { BoardUnavailableError } from '../errors/board-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BreakerState } from '../guard/breaker.ts'
import { GuardedCalls } from '../guard/guarded-calls.ts'

export class BoardStore {
  readonly provider: BoardProvider
  readonly #calls: GuardedCalls
  readonly #endings = new Set<() => Promise<unknown>>()
  #isClosed = false

  constructor(provider: BoardProvider, clock: Clock, events: Emitter) {
    this.provider = provider
    const whenTried = provider.whenTried?.bind(provider)
    this.#calls = new GuardedCalls({
      clock,
      ...(whenTried === undefined ? {} : { whenTried }),
      onFailure: (operation, error, skipped) =>
        events.emit('store-error', { operation, error, skipped }),
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get breaker(): BreakerState {
    return this.#calls.breaker
  }

  /** @param timeoutMs how long the call may take @throws BoardUnavailableError */
  ask<Reply>(
    operation: string,
    timeoutMs: number,
    call: (provider: BoardProvider) => Promise<Reply>,
  ): Promise<Reply> {
    const bounds = { operation: `boards.${operation}`, timeoutMs, waiter: 'caller' } as const
    return this.#calls
      .ask(bounds, () => call(this.provider))
      .catch((cause: unknown) => {
        throw new BoardUnavailableError(cause)
      })
  }

  /** Runs `end` before the provider is closed: for what still waits to be sent. */
  beforeClose(end: () => Promise<unknown>): void {
    this.#endings.add(end)
  }

  /** Closes the provider, and ends the calls that were not answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(Array.from(this.#endings, (end) => end()))
    await Promise.allSettled([this.provider.close()])
    this.#calls.close()
  }
}
