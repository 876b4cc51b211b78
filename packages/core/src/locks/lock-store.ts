/**
 * A lock provider behind our own deadline and a breaker: a client library that queues and retries on its own terms would
 * hang the caller, and an outage would cost every caller the whole deadline.
 */

import { Deadlines, type OnOver } from '../clock/deadlines.ts'
import type { Clock } from '../contracts/clock.ts'
import type {
  AcquireReply,
  AcquireRequest,
  LockProvider,
  LockState,
  LockTarget,
} from '../contracts/lock-provider.ts'
import { StoreTimeoutError, StoreUnavailableError } from '../errors/store-error.ts'
import { Breaker } from '../remote/breaker.ts'

/** How long one call to the lock store may take. */
export const LOCK_STORE_TIMEOUT_MS = 1_000

export class LockStore {
  readonly provider: LockProvider
  readonly #clock: Clock
  readonly #breaker: Breaker
  readonly #deadlines: Deadlines

  constructor(provider: LockProvider, clock: Clock) {
    this.provider = provider
    this.#clock = clock
    this.#deadlines = new Deadlines(clock, LOCK_STORE_TIMEOUT_MS, 'caller')
    this.#breaker = new Breaker(
      () => clock.now(),
      () => undefined,
    )
  }

  /** @throws StoreUnavailableError without trying, or StoreTimeoutError, or what the provider rejects with. */
  acquire(request: AcquireRequest, timeoutMs: number): Promise<AcquireReply> {
    if (!this.#breaker.admits()) return Promise.reject(new StoreUnavailableError('lock'))
    return this.#within('acquire', timeoutMs, () => this.provider.acquire(request))
  }

  /** Always tries: to lose a lease because others' calls failed would be a pity. */
  renew(target: LockTarget, leaseMs: number, timeoutMs: number): Promise<boolean> {
    return this.#within('renew', timeoutMs, () => this.provider.renew(target, leaseMs))
  }

  release(target: LockTarget): Promise<boolean> {
    return this.#within('release', LOCK_STORE_TIMEOUT_MS, () => this.provider.release(target))
  }

  leave(target: LockTarget): Promise<void> {
    return this.#within('leave', LOCK_STORE_TIMEOUT_MS, () => this.provider.leave(target))
  }

  inspect(name: string): Promise<LockState> {
    return this.#within('inspect', LOCK_STORE_TIMEOUT_MS, () => this.provider.inspect(name))
  }

  #within<Result>(
    operation: string,
    timeoutMs: number,
    call: () => Promise<Result>,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const end = this.#deadline(timeoutMs, (wasHeldUp) => {
        // What was late because we were says nothing about the store.
        if (wasHeldUp) this.#breaker.toldNothing()
        else this.#breaker.failed()
        reject(new StoreTimeoutError(operation, timeoutMs))
      })
      // What comes after the deadline is nobody's any more.
      call().then(
        (result) => {
          if (!end()) return
          this.#breaker.succeeded()
          resolve(result)
        },
        (error: unknown) => {
          if (!end()) return
          this.#breaker.failed()
          reject(error)
        },
      )
    })
  }

  /** Begins a deadline; returns what ends it, and tells whether that was in time. */
  #deadline(timeoutMs: number, onOver: OnOver): () => boolean {
    const deadlines =
      timeoutMs === LOCK_STORE_TIMEOUT_MS
        ? this.#deadlines
        : new Deadlines(this.#clock, timeoutMs, 'caller')
    const deadline = deadlines.begin(onOver)
    return () => {
      if (deadlines !== this.#deadlines) deadlines.close()
      return deadlines.end(deadline)
    }
  }

  /** Drops the timer; for when all calls have ended. */
  close(): void {
    this.#deadlines.close()
  }
}
