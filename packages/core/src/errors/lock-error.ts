/** The three ways a lock can fail, told apart: held, store trouble, lost. */

import { LarderError } from './larder-error.ts'

/** The lock stayed held by another owner for the whole wait. */
export class LockTimeoutError extends LarderError {
  override readonly name = 'LockTimeoutError'

  constructor(key: string, waitedMs: number) {
    super('LARDER_LOCK_TIMEOUT', `The lock ${key} stayed held for the whole wait of ${waitedMs} ms.`, {
      key,
    })
  }
}

/** The lock store cannot be reached. */
export class LockUnavailableError extends LarderError {
  override readonly name = 'LockUnavailableError'

  constructor(key: string, cause: unknown) {
    super('LARDER_LOCK_UNAVAILABLE', `The store of the lock ${key} cannot be reached.`, { key, cause })
  }
}

/** The lease ended while the work went on. */
export class LockLostError extends LarderError {
  override readonly name = 'LockLostError'
  /** What the work returned all the same, if it ended. */
  readonly result: unknown

  constructor(key: string, result?: unknown) {
    super(
      'LARDER_LOCK_LOST',
      `The lease of the lock ${key} ended before the work did; somebody else may have held it.`,
      { key },
    )
    this.result = result
  }
}
