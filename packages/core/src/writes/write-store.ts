/** A provider of write queues behind our own deadline and a breaker: a store that hangs must not hang every write. */

import type { Clock } from '../contracts/clock.ts'
import type { WriteProvider } from '../contracts/write-provider.ts'
import { StoreSetupError } from '../errors/store-error.ts'
import { WritesUnavailableError } from '../errors/write-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BreakerState } from '../guard/breaker.ts'
import { type CallBounds, GuardedCalls } from '../guard/guarded-calls.ts'

export class WriteStore {
  readonly provider: WriteProvider
  /** By queue, what looks at once for what is due, in the process that may write it. */
  readonly flushers = new Map<string, () => void>()
  readonly #calls: GuardedCalls
  readonly #endings = new Set<() => Promise<unknown>>()
  #isClosed = false

  constructor(provider: WriteProvider, clock: Clock, events: Emitter) {
    this.provider = provider
    const whenTried = provider.whenTried?.bind(provider)
    this.#calls = new GuardedCalls({
      clock,
      ...(whenTried === undefined ? {} : { whenTried }),
      isAnswer: (error) => error instanceof StoreSetupError,
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

  /**
   * @param bounds how long the call may take, and who waits for it
   * @throws WritesUnavailableError; StoreSetupError for a server that cannot do what was asked
   */
  async ask<Reply>(
    operation: string,
    bounds: Pick<CallBounds, 'timeoutMs' | 'waiter'>,
    call: (provider: WriteProvider) => Promise<Reply>,
  ): Promise<Reply> {
    try {
      const named = { operation: `writes.${operation}`, ...bounds }
      return await this.#calls.ask(named, () => call(this.provider))
    } catch (error) {
      if (error instanceof StoreSetupError) throw error
      throw new WritesUnavailableError(error)
    }
  }

  /** Runs `end` before the provider is closed: for what still waits to be written. Returns what takes it back. */
  beforeClose(end: () => Promise<unknown>): () => void {
    this.#endings.add(end)
    return () => this.#endings.delete(end)
  }

  /** Closes the provider, and ends the calls that were not answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(Array.from(this.#endings, (end) => end()))
    await Promise.allSettled([this.provider.close()])
    this.#calls.close()
  }
}
