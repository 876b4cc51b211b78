/** A loader took too long. */

import { LarderError } from './larder-error.ts'

/** Thrown to callers when a loader ran longer than `loadTimeout` and nothing stale may be served. */
export class LoadTimeoutError extends LarderError {
  override readonly name = 'LoadTimeoutError'

  constructor(key: string, timeoutMs: number) {
    super('LARDER_LOAD_TIMEOUT', `Loading ${key} took longer than ${timeoutMs} ms and was given up.`, {
      key,
    })
  }
}
