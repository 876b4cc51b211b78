/**
 * A lock provider behind our own deadline and a breaker: a client library that queues and retries on its own terms would
 * hang the caller, and an outage would cost every caller the whole deadline.
 */

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

  constructor(provider: LockProvider, clock: Clock) {
    this.provider = provider
    this.#clock = clock
    this.#breaker = new Breaker(
      () => clock.now(),
      () => undefined,
    )
  }

  /** @throws StoreUnavailableError without trying, or StoreTimeoutError, or what the provider rejects with. */
  async acquire(request: AcquireRequest, timeoutMs: number): Promise<AcquireReply> {
    if (!this.#breaker.admits()) throw new StoreUnavailableError('lock')
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

  async #within<Result>(
    operation: string,
    timeoutMs: number,
    call: () => Promise<Result>,
  ): Promise<Result> {
    try {
      const result = await new Promise<Result>((resolve, reject) => {
        const cancel = this.#clock.schedule(timeoutMs, () =>
          reject(new StoreTimeoutError(operation, timeoutMs)),
        )
        // A late rejection lands in a settled promise and is dropped.
        call().then(resolve, reject).finally(cancel)
      })
      this.#breaker.succeeded()
      return result
    } catch (error) {
      this.#breaker.failed()
      throw error
    }
  }
}
