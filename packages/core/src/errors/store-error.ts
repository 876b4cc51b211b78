/** Trouble with the remote store. Reads never throw these; they appear in events, and where a caller asked to know. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** The store did not answer in time. */
export class StoreTimeoutError extends LarderError {
  static {
    markFamily(StoreTimeoutError)
  }

  readonly timeoutMs: number
  /** True when this process stood still meanwhile, so that the store may not be to blame. */
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
 * Why a store that answers does not do what it is asked. `readonly`: a replica; `not-durable`: it cannot save what it is
 * told (a failed snapshot, a full disk); `replicas`: too few of them; `rights`: this user may not; `full`: out of memory;
 * `loading`, `cluster`: not now.
 */
export type RefusalReason =
  | 'readonly'
  | 'not-durable'
  | 'replicas'
  | 'rights'
  | 'full'
  | 'loading'
  | 'cluster'

/** The store answered, and refused: nothing was changed. Asking again at once is no use. */
export class StoreRefusedError extends LarderError {
  static {
    markFamily(StoreRefusedError)
  }

  readonly reason: RefusalReason

  /** `words`: what the store said, without values. */
  constructor(operation: string, reason: RefusalReason, words: string, cause?: unknown) {
    super('LARDER_STORE_REFUSED', `The remote store refused ${operation}: ${words}`, { cause })
    this.reason = reason
  }

  override get name(): string {
    return 'StoreRefusedError'
  }
}

/** The store can never be used as it is set up: something is not installed, or refused to load. No outage: it does not pass. */
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
      `Evicting ${what} did not reach the remote store. It holds on this node and will be run again.`,
      { cause },
    )
  }

  override get name(): string {
    return 'RecoveryQueueError'
  }
}

/**
 * The store answered, and what it said concerns one key or one call only: what is kept under the key is not what belongs
 * there, or the key's own demand cannot be met. For providers of locks and limits to reject with; a circuit breaker takes
 * it for a sign of life.
 */
export class StoreKeyError extends LarderError {
  static {
    markFamily(StoreKeyError)
  }

  constructor(operation: string, cause?: unknown) {
    super(
      'LARDER_STORE_KEY',
      `The remote store cannot do ${operation} for this key; others are not concerned.`,
      { cause },
    )
  }

  override get name(): string {
    return 'StoreKeyError'
  }
}

/** By its code: the class may come from another copy of this package. */
export function isStoreKeyError(error: unknown): error is StoreKeyError {
  return error instanceof Error && (error as { code?: unknown }).code === 'LARDER_STORE_KEY'
}
