/** The base of every error Larder throws. */

import type { ErrorCode } from './codes.ts'
import { markFamily, meetCopies } from './family.ts'

export interface LarderErrorDetails {
  /** The key concerned, if there is one. */
  readonly key?: string | undefined
  readonly cause?: unknown
}

/**
 * An error of the framework, as opposed to one of the user's own method, which passes through unchanged.
 *
 * @example if (error instanceof LarderError && error.code === 'LARDER_LOCK_TIMEOUT') return 'busy'
 */
export class LarderError extends Error {
  static {
    markFamily(LarderError)
    meetCopies(LarderError)
  }

  /** Stable across releases, unlike the message; see `ERROR_CODES`. */
  readonly code: ErrorCode
  // Declared only: an error without a key has no such property, so it is not printed as `undefined`.
  declare readonly key?: string

  constructor(code: ErrorCode, message: string, details: LarderErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    if (details.key !== undefined) this.key = details.key
  }

  // Getters, here and in every family: V8 writes the first line of `stack` while `Error` is being constructed, before a
  // field of the subclass exists, and a minifier would change `constructor.name`.
  override get name(): string {
    return 'LarderError'
  }
}
