/** Reports in events what became of each lock. */

import type { Clock } from '../contracts/clock.ts'
import { LockTimeoutError, LockUnavailableError } from '../errors/lock-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { CacheEvents } from '../events/events.ts'
import { OpenTrace } from '../events/open-trace.ts'
import { CHANNELS, type LockTrace } from '../events/traces.ts'
import type { Hold } from './hold.ts'
import type { LockStore } from './lock-store.ts'

type Outcome = CacheEvents['lock']['outcome']

/** Which lock, and since when it was waited for or held, on this process's clock, ms. */
interface ReportedLock {
  readonly name: string
  readonly since: number
  readonly store: LockStore
}

export class LockReports {
  readonly #events: Emitter
  readonly #clock: Clock
  readonly #namespace: string
  /** Of locks that were granted while somebody listened. */
  readonly #traces = new WeakMap<Hold, OpenTrace<LockTrace>>()

  constructor(events: Emitter, clock: Clock, namespace: string) {
    this.#events = events
    this.#clock = clock
    this.#namespace = namespace
  }

  /** Begins to wait for a lock; for as long as nobody listens there is no trace. */
  waiting(name: string): OpenTrace<LockTrace> | undefined {
    return CHANNELS.lock.hasSubscribers ? this.#traceOf(name, 'wait') : undefined
  }

  /** What became of a lock that was taken. */
  ended(hold: Hold, outcome: Outcome): void {
    this.#traces.get(hold)?.end({ outcome })
    this.#report({ name: hold.target.name, since: hold.since, store: hold.store }, outcome)
  }

  granted(hold: Hold, since: number): void {
    if (CHANNELS.lock.hasSubscribers) {
      const trace = this.#traceOf(hold.target.name, 'hold')
      trace.message.source = hold.store.provider.name
      this.#traces.set(hold, trace)
    }
    this.#report({ name: hold.target.name, since, store: hold.store }, 'granted')
  }

  /** Reports an error, and returns it. */
  failed(error: unknown, subject: ReportedLock, wait?: OpenTrace<LockTrace>): unknown {
    const outcome = outcomeOf(error)
    if (outcome !== undefined) this.#report(subject, outcome)
    wait?.fail(error, outcome === undefined ? undefined : { outcome })
    return error
  }

  #traceOf(key: string, part: LockTrace['part']): OpenTrace<LockTrace> {
    const { owner: manager } = this.#events
    const message = { namespace: this.#namespace, manager, key, part }
    return new OpenTrace(CHANNELS.lock, message).begin()
  }

  #report({ name, since, store }: ReportedLock, outcome: Outcome): void {
    if (!this.#events.heard.has('lock')) return
    const { name: source } = store.provider
    this.#events.emit('lock', { key: name, outcome, durationMs: this.#clock.now() - since, source })
  }
}

/** `undefined` of what is no answer about the lock: the caller gave up, or the manager was closed. */
function outcomeOf(error: unknown): Outcome | undefined {
  if (error instanceof LockUnavailableError) return 'unavailable'
  return error instanceof LockTimeoutError ? 'timeout' : undefined
}
