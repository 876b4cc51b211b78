/** A stream provider behind our own deadline and a breaker. */

import type { Clock } from '../contracts/clock.ts'
import type { StreamGroup, StreamProvider, StreamReader } from '../contracts/stream-provider.ts'
import { StreamUnavailableError } from '../errors/stream-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BreakerState } from '../guard/breaker.ts'
import { GuardedCalls } from '../guard/guarded-calls.ts'

export class StreamStore {
  readonly provider: StreamProvider
  readonly #calls: GuardedCalls
  readonly #endings = new Set<() => Promise<unknown>>()
  #isClosed = false

  constructor(provider: StreamProvider, clock: Clock, events: Emitter) {
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

  /** @param timeoutMs how long the call may take @throws StreamUnavailableError */
  ask<Reply>(
    operation: string,
    timeoutMs: number,
    call: (provider: StreamProvider) => Promise<Reply>,
  ): Promise<Reply> {
    const bounds = { operation: `streams.${operation}`, timeoutMs, waiter: 'caller' } as const
    return this.#calls
      .ask(bounds, () => call(this.provider))
      .catch((cause: unknown) => {
        throw new StreamUnavailableError(cause)
      })
  }

  /**
   * Reads by a reader of this provider, which waits up to `waitMs` and has `timeoutMs` beside that.
   *
   * @throws StreamUnavailableError
   */
  read(
    reader: StreamReader,
    group: StreamGroup,
    read: Parameters<StreamReader['read']>[1] & { readonly timeoutMs: number },
  ): ReturnType<StreamReader['read']> {
    const { timeoutMs, ...asked } = read
    return this.ask('read', read.waitMs + timeoutMs, () => reader.read(group, asked))
  }

  /** Runs `end` before the provider is closed: for consumers. Returns a function that takes it back. */
  beforeClose(end: () => Promise<unknown>): () => void {
    this.#endings.add(end)
    return () => void this.#endings.delete(end)
  }

  /** Closes the provider, and ends the calls that were not answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(Array.from(this.#endings, (end) => end()))
    await Promise.allSettled([this.provider.close()])
    this.#calls.close()
  }
}
