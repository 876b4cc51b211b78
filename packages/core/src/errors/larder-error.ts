/** The base of every error Larder throws. */

import type { ErrorCode } from './codes.ts'

export interface LarderErrorDetails {
  /** The key concerned, if one is. */
  readonly key?: string | undefined
  readonly cause?: unknown
}

/** An error of the framework, as opposed to one of the user's own method, which passes through unchanged. */
export class LarderError extends Error {
  override readonly name: string = 'LarderError'
  readonly code: ErrorCode
  readonly key: string | undefined

  constructor(code: ErrorCode, message: string, details: LarderErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.key = details.key
  }
}
