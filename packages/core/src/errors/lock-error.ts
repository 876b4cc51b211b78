/** The three ways a lock can fail: it is held, the store has trouble, it was lost. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** The lock stayed held by another owner for the whole wait. */
export class LockTimeoutError extends LarderError {
  static {
    markFamily(LockTimeoutError)
  }

  readonly waitedMs: number

  constructor(key: string, waitedMs: number) {
    super(
      'LARDER_LOCK_TIMEOUT',
      `The lock ${key} stayed held for the whole wait of ${waitedMs} ms.`,
      { key },
    )
    this.waitedMs = waitedMs
  }

  override get name(): string {
    return 'LockTimeoutError'
  }
}

/** The lock store cannot be reached, so it is unknown whether the lock is free. */
export class LockUnavailableError extends LarderError {
  static {
    markFamily(LockUnavailableError)
  }

  constructor(key: string, cause: unknown) {
    super('LARDER_LOCK_UNAVAILABLE', `The store of the lock ${key} cannot be reached.`, {
      key,
      cause,
    })
  }

  override get name(): string {
    return 'LockUnavailableError'
  }
}

/** The lock ended while the work went on. */
export class LockLostError extends LarderError {
  static {
    markFamily(LockLostError)
  }

  /** What the work returned, if it ended. */
  declare readonly result?: unknown

  constructor(key: string, result?: unknown) {
    super(
      'LARDER_LOCK_LOST',
      `The lock ${key} ended before the work under it did; another owner may have held it meanwhile.`,
      { key },
    )
    if (result === undefined) return
    // Not enumerable, so that printing the error does not write the result to a log.
    Object.defineProperty(this, 'result', { value: result, enumerable: false })
  }

  override get name(): string {
    return 'LockLostError'
  }
}

/** `currentLock()` was called where no lock is held. */
export class NoLockError extends LarderError {
  static {
    markFamily(NoLockError)
  }

  constructor() {
    super(
      'LARDER_NO_LOCK',
      'No lock is held here: currentLock() is for @WithLock methods and locks.run.',
    )
  }

  override get name(): string {
    return 'NoLockError'
  }
}
