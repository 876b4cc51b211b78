/** A loader took too long. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** Thrown to callers when a load took longer than `loadTimeout` or `hardTimeout`, and nothing stale may be served. */
export class LoadTimeoutError extends LarderError {
  static {
    markFamily(LoadTimeoutError)
  }

  readonly timeoutMs: number

  /** True past `hardTimeout`: the load continues, and its result will be cached. */
  readonly goesOn: boolean

  constructor(key: string, timeoutMs: number, goesOn = false) {
    const end = goesOn ? 'continues without its caller' : 'was given up'
    super('LARDER_LOAD_TIMEOUT', `Loading ${key} took longer than ${timeoutMs} ms and ${end}.`, {
      key,
    })
    this.timeoutMs = timeoutMs
    this.goesOn = goesOn
  }

  override get name(): string {
    return 'LoadTimeoutError'
  }
}
