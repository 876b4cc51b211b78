/** A lock provider behind our own deadline and a breaker. */

import type { Clock } from '../contracts/clock.ts'
import type {
  AcquireReply,
  AcquireRequest,
  LockProvider,
  LockState,
  LockTarget,
} from '../contracts/lock-provider.ts'
import { type CallTerms, GuardedCalls } from '../guard/guarded-calls.ts'

/** How long one call to the lock store may take. */
export const LOCK_STORE_TIMEOUT_MS = 1_000

const ACQUIRE = terms('locks.acquire')
const RELEASE = terms('locks.release')
const INSPECT = terms('locks.inspect')
// Nobody waits for it, except `close()`.
const LEAVE = terms('locks.leave')

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

  /** True once nothing was answered for as long as a call may take: asking is no use but for one who finds out. */
  get isKnownAway(): boolean {
    const { failingSince, isOpen } = this.#calls
    if (failingSince === undefined || !isOpen) return false
    return this.#clock.now() - failingSince >= LOCK_STORE_TIMEOUT_MS
  }

  /** Since when nothing was answered, ms. */
  get failingSince(): number | undefined {
    return this.#calls.failingSince
  }

  /** @throws StoreUnavailableError without trying, or StoreTimeoutError, or what the provider rejects with. */
  acquire(request: AcquireRequest): Promise<AcquireReply> {
    return this.#calls.ask(ACQUIRE, () => this.provider.acquire(request))
  }

  /**
   * Always tries: to lose a lease because others' calls failed would be a pity. `isAwaited`: somebody's promise hangs on it.
   */
  renew(
    target: LockTarget,
    leaseMs: number,
    timeoutMs: number,
    isAwaited: boolean,
  ): Promise<boolean> {
    const waiter = isAwaited ? 'caller' : 'background'
    const renewal: CallTerms = { operation: 'locks.renew', timeoutMs, waiter }
    return this.#calls.insist(renewal, () => this.provider.renew(target, leaseMs))
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

  /** Drops the timers; for when all calls have ended. */
  close(): void {
    this.#calls.close()
  }
}

function terms(operation: string): CallTerms {
  return { operation, timeoutMs: LOCK_STORE_TIMEOUT_MS, waiter: 'caller' }
}
