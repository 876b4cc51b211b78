/** A loader took too long. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** Thrown to callers when a loader ran longer than `loadTimeout` and nothing stale may be served. */
export class LoadTimeoutError extends LarderError {
  static {
    markFamily(LoadTimeoutError)
  }

  readonly timeoutMs: number

  constructor(key: string, timeoutMs: number) {
    super(
      'LARDER_LOAD_TIMEOUT',
      `Loading ${key} took longer than ${timeoutMs} ms and was given up.`,
      { key },
    )
    this.timeoutMs = timeoutMs
  }

  override get name(): string {
    return 'LoadTimeoutError'
  }
}
