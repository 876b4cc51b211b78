/** Reports in events what became of each lock. */

import type { Clock } from '../contracts/clock.ts'
import { LockTimeoutError, LockUnavailableError } from '../errors/lock-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { CacheEvents } from '../events/events.ts'
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

  constructor(events: Emitter, clock: Clock) {
    this.#events = events
    this.#clock = clock
  }

  /** What became of a lock that was taken. */
  ended(hold: Hold, outcome: Outcome): void {
    this.#report({ name: hold.target.name, since: hold.since, store: hold.store }, outcome)
  }

  granted(hold: Hold, since: number): void {
    this.#report({ name: hold.target.name, since, store: hold.store }, 'granted')
  }

  /** Reports an error, and returns it. */
  failed(error: unknown, subject: ReportedLock): unknown {
    if (error instanceof LockUnavailableError) this.#report(subject, 'unavailable')
    else if (error instanceof LockTimeoutError) this.#report(subject, 'timeout')
    return error
  }

  #report({ name, since, store }: ReportedLock, outcome: Outcome): void {
    if (!this.#events.has('lock')) return
    const { name: source } = store.provider
    this.#events.emit('lock', { key: name, outcome, durationMs: this.#clock.now() - since, source })
  }
}
