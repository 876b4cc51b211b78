/** A structure provider behind our own deadline and a breaker: a store that hangs must not hang every request. */

import type { Clock } from '../contracts/clock.ts'
import type { StructureProvider } from '../contracts/structure-provider.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { StructureUnavailableError } from '../errors/structure-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BreakerState } from '../guard/breaker.ts'
import { GuardedCalls } from '../guard/guarded-calls.ts'
import { isOfWrites } from '../remote/failures.ts'

export class StructureStore {
  readonly provider: StructureProvider
  readonly #calls: GuardedCalls
  #isClosed = false

  constructor(provider: StructureProvider, clock: Clock, events: Emitter) {
    this.provider = provider
    const whenTried = provider.whenTried?.bind(provider)
    this.#calls = new GuardedCalls({
      clock,
      // What it holds can be read: calls that only read are not kept from it because others cannot write.
      isAnswer: isOfWrites,
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

  /** @param timeoutMs how long the call may take @throws StructureUnavailableError */
  async ask<Reply>(
    operation: string,
    timeoutMs: number,
    call: (provider: StructureProvider) => Promise<Reply>,
  ): Promise<Reply> {
    if (this.#isClosed) throw new StructureUnavailableError(new ClosedError())
    const bounds = { operation: `structures.${operation}`, timeoutMs, waiter: 'caller' } as const
    try {
      return await this.#calls.ask(bounds, () => call(this.provider))
    } catch (cause) {
      throw new StructureUnavailableError(cause)
    }
  }

  /** Closes the provider, and ends the calls that were not answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled([this.provider.close()])
    this.#calls.close()
  }
}
