/** Trouble with the remote store. Reads never throw these errors; events carry them, and callers that asked for them get them. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** The store did not answer in time. */
export class StoreTimeoutError extends LarderError {
  static {
    markFamily(StoreTimeoutError)
  }

  readonly timeoutMs: number
  /** True when this process stood still meanwhile, so that the store may not be the cause. */
  readonly wasHeldUp: boolean

  constructor(operation: string, timeoutMs: number, wasHeldUp = false) {
    super(
      'LARDER_STORE_TIMEOUT',
      `The remote store did not answer ${operation} within ${timeoutMs} ms.`,
    )
    this.timeoutMs = timeoutMs
    this.wasHeldUp = wasHeldUp
  }

  override get name(): string {
    return 'StoreTimeoutError'
  }
}

/** The store is known to be unreachable and was not asked. */
export class StoreUnavailableError extends LarderError {
  static {
    markFamily(StoreUnavailableError)
  }

  constructor(operation: string, cause?: unknown) {
    super(
      'LARDER_STORE_UNAVAILABLE',
      `The remote store is unreachable; ${operation} was not tried.`,
      { cause },
    )
  }

  override get name(): string {
    return 'StoreUnavailableError'
  }
}

/**
 * Why a store that answers does not do what it is asked. `readonly`: it is a replica; `not-durable`: it cannot save (a failed
 * snapshot, a full disk); `replicas`: it has too few; `rights`: this user lacks a right; `full`: it is out of memory;
 * `loading`, `cluster`: it cannot do it now.
 */
export type RefusalReason =
  | 'readonly'
  | 'not-durable'
  | 'replicas'
  | 'rights'
  | 'full'
  | 'loading'
  | 'cluster'

/** The store answered, and refused: nothing was changed. Asking again at once is useless. */
export class StoreRefusedError extends LarderError {
  static {
    markFamily(StoreRefusedError)
  }

  readonly reason: RefusalReason

  /** `words`: the store's answer, without values. */
  constructor(operation: string, reason: RefusalReason, words: string, cause?: unknown) {
    super('LARDER_STORE_REFUSED', `The remote store refused ${operation}: ${words}`, { cause })
    this.reason = reason
  }

  override get name(): string {
    return 'StoreRefusedError'
  }
}

/** The store cannot be used as it is set up: a package is not installed, or cannot be loaded. Unlike an outage, it does not pass. */
export class StoreSetupError extends LarderError {
  static {
    markFamily(StoreSetupError)
  }

  /** `what`: a sentence that says what is wrong and what to do. */
  constructor(what: string, cause?: unknown) {
    super('LARDER_STORE_SETUP', what, { cause })
  }

  override get name(): string {
    return 'StoreSetupError'
  }
}

/** An eviction waits in the recovery queue; thrown only with `onRemoteFailure: 'throw'`. */
export class RecoveryQueueError extends LarderError {
  static {
    markFamily(RecoveryQueueError)
  }

  constructor(what: string, cause: unknown) {
    super(
      'LARDER_RECOVERY_QUEUE',
      `Evicting ${what} did not reach the remote store. It is applied on this node and will be run again.`,
      { cause },
    )
  }

  override get name(): string {
    return 'RecoveryQueueError'
  }
}

/**
 * The store answered, and its answer concerns one key or one call only: something of another kind is kept under the key, or
 * a demand of this call cannot be met. Providers of locks and limits reject with it; a circuit breaker counts it as a sign of
 * life.
 */
export class StoreKeyError extends LarderError {
  static {
    markFamily(StoreKeyError)
  }

  constructor(operation: string, cause?: unknown) {
    super(
      'LARDER_STORE_KEY',
      `The remote store cannot do ${operation} for this key; other keys are not affected.`,
      { cause },
    )
  }

  override get name(): string {
    return 'StoreKeyError'
  }
}

/** Compares the code, because the class may come from another copy of this package. */
export function isStoreKeyError(error: unknown): error is StoreKeyError {
  return error instanceof Error && (error as { code?: unknown }).code === 'LARDER_STORE_KEY'
}
