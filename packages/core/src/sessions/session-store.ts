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
import { InvalidOptionError } from '../errors/option-error.ts'
import { SessionUnavailableError } from '../errors/session-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BreakerState } from '../guard/breaker.ts'
import { ProviderStore } from '../guard/provider-store.ts'
import { isOfWrites } from '../remote/failures.ts'

/** What the sessions of one kind ask with. */
export interface SessionTerms {
  readonly rule: SessionRule
  /** How long one call may take, ms. */
  readonly timeoutMs: number
}

export class SessionStore {
  readonly provider: SessionProvider
  readonly #store: ProviderStore<SessionProvider>

  constructor(provider: SessionProvider, clock: Clock, events: Emitter) {
    this.provider = provider
    this.#store = new ProviderStore({
      provider,
      clock,
      events,
      kind: 'sessions',
      unavailable: (cause) => new SessionUnavailableError(cause),
      // What it holds can be read: calls that only read are not kept from it because others cannot write.
      isAnswer: isOfWrites,
    })
  }

  get breaker(): BreakerState {
    return this.#store.breaker
  }

  /** @throws SessionUnavailableError; so do all of these */
  read(terms: SessionTerms, place: SessionPlace, read: SessionRead): Promise<SessionReply> {
    return this.#store.ask('read', terms.timeoutMs, (provider) =>
      provider.read(terms.rule, place, read),
    )
  }

  save(terms: SessionTerms, place: SessionPlace, save: SessionSave): Promise<SaveReply> {
    return this.#store.ask('save', terms.timeoutMs, (provider) =>
      provider.save(terms.rule, place, save),
    )
  }

  /** Always tries, even when the breaker is open: a logout must not be lost because other calls failed. */
  end(terms: SessionTerms, place: SessionPlace, wantsBytes: boolean): Promise<SessionReply> {
    return this.#store.insist('end', terms.timeoutMs, (provider) =>
      provider.end(terms.rule, place, wantsBytes),
    )
  }

  move(terms: SessionTerms, place: SessionPlace, to: SessionMove): Promise<MoveReply> {
    return this.#store.ask('move', terms.timeoutMs, (provider) =>
      provider.move(terms.rule, place, to),
    )
  }

  /** Always tries, as `end` does. */
  endAll(terms: SessionTerms, tag: string, except: string | undefined): Promise<readonly string[]> {
    return this.#store.insist('endAll', terms.timeoutMs, (provider) =>
      provider.endAll(terms.rule, tag, except),
    )
  }

  list(terms: SessionTerms, tag: string): Promise<readonly ListedSession[]> {
    return this.#store.ask('list', terms.timeoutMs, (provider) => provider.list(terms.rule, tag))
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
  close(): Promise<void> {
    return this.#store.close()
  }
}
