/** A lock provider behind our own deadline and a breaker. */

import type { Clock } from '../contracts/clock.ts'
import type {
  AcquireReply,
  AcquireRequest,
  LockProvider,
  LockState,
  LockTarget,
} from '../contracts/lock-provider.ts'
import type { BreakerState } from '../guard/breaker.ts'
import { type CallBounds, GuardedCalls } from '../guard/guarded-calls.ts'

/** How long one call to the lock store may take. */
export const LOCK_STORE_TIMEOUT_MS = 1_000

const ACQUIRE = callNamed('locks.acquire')
const RELEASE = callNamed('locks.release')
const INSPECT = callNamed('locks.inspect')
// Only `close()` waits for it.
const LEAVE = callNamed('locks.leave')

export class LockStore {
  readonly provider: LockProvider
  readonly #clock: Clock
  readonly #calls: GuardedCalls

  constructor(provider: LockProvider, clock: Clock) {
    this.provider = provider
    this.#clock = clock
    const whenTried = provider.whenTried?.bind(provider)
    this.#calls = new GuardedCalls(whenTried === undefined ? { clock } : { clock, whenTried })
  }

  /** True once nothing was answered for as long as one call may take: only a caller that probes the store should ask. */
  get isKnownAway(): boolean {
    const { failingSince, isOpen } = this.#calls
    if (failingSince === undefined || !isOpen) return false
    return this.#clock.now() - failingSince >= LOCK_STORE_TIMEOUT_MS
  }

  /** Since when the store has not answered, ms. */
  get failingSince(): number | undefined {
    return this.#calls.failingSince
  }

  get breaker(): BreakerState {
    return this.#calls.breaker
  }

  /** @throws StoreUnavailableError without trying, or StoreTimeoutError, or what the provider rejects with. */
  acquire(request: AcquireRequest): Promise<AcquireReply> {
    return this.#calls.ask(ACQUIRE, () => this.provider.acquire(request))
  }

  /**
   * Always tries, even when the breaker is open: a lock must not be lost because other calls failed. `isAwaited`: a caller waits.
   */
  renew(
    target: LockTarget,
    termMs: number,
    timeoutMs: number,
    isAwaited: boolean,
  ): Promise<boolean> {
    const waiter = isAwaited ? 'caller' : 'background'
    const renewal: CallBounds = { operation: 'locks.renew', timeoutMs, waiter }
    return this.#calls.insist(renewal, () => this.provider.renew(target, termMs))
  }

  release(target: LockTarget): Promise<boolean> {
    return this.#calls.insist(RELEASE, () => this.provider.release(target))
  }

  leave(target: LockTarget): Promise<void> {
    return this.#calls.insist(LEAVE, () => this.provider.leave(target))
  }

  inspect(name: string): Promise<LockState> {
    return this.#calls.insist(INSPECT, () => this.provider.inspect(name))
  }

  /** Drops the timers; for after all calls have ended. */
  close(): void {
    this.#calls.close()
  }
}

function callNamed(operation: string): CallBounds {
  return { operation, timeoutMs: LOCK_STORE_TIMEOUT_MS, waiter: 'caller' }
}
