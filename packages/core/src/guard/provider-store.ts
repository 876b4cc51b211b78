/** A provider behind our own deadline and a breaker: a store that hangs must not hang every request. */

import type { Clock } from '../contracts/clock.ts'
import { ClosedError } from '../errors/closed-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BreakerState } from './breaker.ts'
import { type CallBounds, GuardedCalls } from './guarded-calls.ts'

/** What the guard needs of a provider. */
interface Guardable {
  readonly name: string
  whenTried?(): Promise<void>
  close(): Promise<void>
}

export interface ProviderStoreParts<Provider> {
  readonly provider: Provider
  readonly clock: Clock
  readonly events: Emitter
  /** The first word of its calls' names in events and errors, such as `boards`. */
  readonly kind: string
  /** What calls reject with when the store cannot say. */
  readonly unavailable: (cause: unknown) => Error
  /** Whether an error says that the store works. Beside those that concern one key */
  readonly isAnswer?: ((error: unknown) => boolean) | undefined
}

export class ProviderStore<Provider extends Guardable> {
  readonly provider: Provider
  readonly #kind: string
  readonly #unavailable: (cause: unknown) => Error
  readonly #calls: GuardedCalls
  readonly #endings = new Set<() => Promise<unknown>>()
  #isClosed = false
  #isEnded = false

  constructor(parts: ProviderStoreParts<Provider>) {
    const { provider, clock, events, kind, unavailable, isAnswer } = parts
    this.provider = provider
    this.#kind = kind
    this.#unavailable = unavailable
    const whenTried = provider.whenTried?.bind(provider)
    this.#calls = new GuardedCalls({
      clock,
      ...(isAnswer === undefined ? {} : { isAnswer }),
      ...(whenTried === undefined ? {} : { whenTried }),
      onFailure: (operation, error, skipped) =>
        events.emit('store-error', { operation, error, skipped }),
    })
  }

  /** True as soon as closing has begun. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  get breaker(): BreakerState {
    return this.#calls.breaker
  }

  /**
   * Calls unless the breaker is open.
   *
   * @param timeoutMs how long the call may take
   * @throws what `unavailable` makes of the cause
   */
  ask<Reply>(
    operation: string,
    timeoutMs: number,
    call: (provider: Provider) => Promise<Reply>,
  ): Promise<Reply> {
    if (this.#isEnded) return this.#refuse(new ClosedError())
    return this.#calls
      .ask(this.#bounds(operation, timeoutMs), () => call(this.provider))
      .catch(this.#refuse)
  }

  /** Calls even when the breaker is open: for what must not be lost because other calls failed. @throws as `ask` */
  insist<Reply>(
    operation: string,
    timeoutMs: number,
    call: (provider: Provider) => Promise<Reply>,
  ): Promise<Reply> {
    if (this.#isEnded) return this.#refuse(new ClosedError())
    return this.#calls
      .insist(this.#bounds(operation, timeoutMs), () => call(this.provider))
      .catch(this.#refuse)
  }

  /** Runs `end` before the provider is closed: for what still waits to be sent. Returns what takes that back. */
  beforeClose(end: () => Promise<unknown>): () => void {
    this.#endings.add(end)
    return () => this.#endings.delete(end)
  }

  /** Closes the provider, and ends the calls that were not answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(Array.from(this.#endings, (end) => end()))
    this.#isEnded = true
    await Promise.allSettled([this.provider.close()])
    this.#calls.close()
  }

  readonly #refuse = (cause: unknown): Promise<never> => Promise.reject(this.#unavailable(cause))

  #bounds(operation: string, timeoutMs: number): CallBounds {
    return { operation: `${this.#kind}.${operation}`, timeoutMs, waiter: 'caller' }
  }
}
