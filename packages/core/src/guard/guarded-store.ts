/** A provider behind our own deadline and a breaker: a store that hangs must not hang every request. */

import type { Clock } from '../contracts/clock.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BreakerState } from './breaker.ts'
import { GuardedCalls } from './guarded-calls.ts'

/** What a provider of any kind has. */
interface Closeable {
  readonly name: string
  whenTried?(): Promise<void>
  close(): Promise<void>
}

export interface GuardedStoreParts<Provider extends Closeable> {
  readonly provider: Provider
  /** In front of the names of operations: `topics`. */
  readonly use: string
  /** What calls reject with when the store cannot say. */
  readonly unavailable: (cause: unknown) => Error
  readonly clock: Clock
  readonly events: Emitter
}

export class GuardedStore<Provider extends Closeable> {
  readonly provider: Provider
  readonly #calls: GuardedCalls
  readonly #parts: GuardedStoreParts<Provider>
  readonly #endings = new Set<() => Promise<unknown>>()
  #isClosed = false

  constructor(parts: GuardedStoreParts<Provider>) {
    const { provider, clock, events } = parts
    this.#parts = parts
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

  /** @param timeoutMs how long the call may take @throws what `unavailable` makes */
  ask<Reply>(
    operation: string,
    timeoutMs: number,
    call: (provider: Provider) => Promise<Reply>,
  ): Promise<Reply> {
    const { use, unavailable } = this.#parts
    const bounds = { operation: `${use}.${operation}`, timeoutMs, waiter: 'caller' } as const
    return this.#calls
      .ask(bounds, () => call(this.provider))
      .catch((cause: unknown) => {
        throw unavailable(cause)
      })
  }

  /** Runs `end` before the provider is closed, unless the function that is returned is called first. */
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
