/** Trouble with the remote store. Reads never throw these; they appear in events, and where a caller asked to know. */

import { LarderError } from './larder-error.ts'

/** The store did not answer in time. */
export class StoreTimeoutError extends LarderError {
  readonly timeoutMs: number

  constructor(operation: string, timeoutMs: number) {
    super(
      'LARDER_STORE_TIMEOUT',
      `The remote store did not answer ${operation} within ${timeoutMs} ms.`,
    )
    this.timeoutMs = timeoutMs
  }

  override get name(): string {
    return 'StoreTimeoutError'
  }
}

/** The store is known to be unreachable and was not asked. */
export class StoreUnavailableError extends LarderError {
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

/** An eviction waits in the recovery queue; thrown only with `onRemoteFailure: 'throw'`. */
export class RecoveryQueueError extends LarderError {
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
