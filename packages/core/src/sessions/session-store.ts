/** A session provider behind our own deadline and a breaker: a store that hangs must not hang every request. */

import type { Clock } from '../contracts/clock.ts'
import type {
  ListedSession,
  MoveReply,
  NamedSession,
  SaveReply,
  SessionMove,
  SessionPlace,
  SessionProvider,
  SessionRead,
  SessionReply,
  SessionRule,
  SessionSave,
} from '../contracts/session-provider.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { SessionUnavailableError } from '../errors/session-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BreakerState } from '../guard/breaker.ts'
import { type CallBounds, GuardedCalls } from '../guard/guarded-calls.ts'
import { isOfWrites } from '../remote/failures.ts'

/** What the sessions of one kind ask with. */
export interface SessionTerms {
  readonly rule: SessionRule
  /** How long one call may take, ms. */
  readonly timeoutMs: number
}

export class SessionStore {
  readonly provider: SessionProvider
  readonly #calls: GuardedCalls
  #isClosed = false

  constructor(provider: SessionProvider, clock: Clock, events: Emitter) {
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

  get breaker(): BreakerState {
    return this.#calls.breaker
  }

  /** @throws SessionUnavailableError; so do all of these */
  read(terms: SessionTerms, place: SessionPlace, read: SessionRead): Promise<SessionReply> {
    return this.#ask('read', terms, () => this.provider.read(terms.rule, place, read))
  }

  save(terms: SessionTerms, place: SessionPlace, save: SessionSave): Promise<SaveReply> {
    return this.#ask('save', terms, () => this.provider.save(terms.rule, place, save))
  }

  /** Always tries, even when the breaker is open: a logout must not be lost because other calls failed. */
  end(terms: SessionTerms, place: SessionPlace, wantsBytes: boolean): Promise<SessionReply> {
    return this.#insist('end', terms, () => this.provider.end(terms.rule, place, wantsBytes))
  }

  move(terms: SessionTerms, place: SessionPlace, to: SessionMove): Promise<MoveReply> {
    return this.#ask('move', terms, () => this.provider.move(terms.rule, place, to))
  }

  /** Always tries, as `end` does. */
  endAll(terms: SessionTerms, tag: string, except: string | undefined): Promise<readonly string[]> {
    return this.#insist('endAll', terms, () => this.provider.endAll(terms.rule, tag, except))
  }

  list(terms: SessionTerms, tag: string): Promise<readonly ListedSession[]> {
    return this.#ask('list', terms, () => this.provider.list(terms.rule, tag))
  }

  /** Without a deadline: it takes as long as there are keys. @throws SessionUnavailableError; InvalidOptionError where the provider cannot */
  async *scan({ rule }: SessionTerms): AsyncGenerator<readonly NamedSession[], void, undefined> {
    const found = this.provider.scan?.(rule)
    if (found === undefined) {
      throw new InvalidOptionError({
        option: 'sessions.scan',
        expected: 'a session provider that has the method scan',
        received: this.provider.name,
      })
    }
    try {
      yield* found
    } catch (cause) {
      throw new SessionUnavailableError(cause)
    }
  }

  /** Closes the provider, and ends the calls that were not answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled([this.provider.close()])
    this.#calls.close()
  }

  #ask<Reply>(operation: string, terms: SessionTerms, call: () => Promise<Reply>): Promise<Reply> {
    if (this.#isClosed) return unavailable(new ClosedError())
    return this.#calls.ask(boundsOf(operation, terms), call).catch(unavailable)
  }

  #insist<Reply>(
    operation: string,
    terms: SessionTerms,
    call: () => Promise<Reply>,
  ): Promise<Reply> {
    if (this.#isClosed) return unavailable(new ClosedError())
    return this.#calls.insist(boundsOf(operation, terms), call).catch(unavailable)
  }
}

function boundsOf(operation: string, { timeoutMs }: SessionTerms): CallBounds {
  return { operation: `sessions.${operation}`, timeoutMs, waiter: 'caller' }
}

function unavailable(cause: unknown): Promise<never> {
  return Promise.reject(new SessionUnavailableError(cause))
}
