/** What calls about streams reject with when the store cannot say. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/**
 * The store of the streams cannot be reached, or did not answer in time. Of a message it is unknown whether it was added: add it again
 * with the same id.
 */
export class StreamUnavailableError extends LarderError {
  static {
    markFamily(StreamUnavailableError)
  }

  constructor(cause: unknown) {
    super(
      'LARDER_STREAM_UNAVAILABLE',
      'The store of the streams cannot say; a change may have been made or not.',
      { cause },
    )
  }

  override get name(): string {
    return 'StreamUnavailableError'
  }
}
