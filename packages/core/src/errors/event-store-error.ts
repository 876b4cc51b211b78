/** What calls about event stores reject with. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/**
 * The store of the events cannot be reached, did not answer in time, or could not save what it took. Of an append it is unknown whether it
 * was made: one with an `id` may be repeated, and is answered as the first time.
 */
export class EventStoreUnavailableError extends LarderError {
  static {
    markFamily(EventStoreUnavailableError)
  }

  constructor(cause: unknown) {
    super(
      'LARDER_EVENT_STORE_UNAVAILABLE',
      'The store of the events cannot say; an append may have been made or not.',
      { cause },
    )
  }

  override get name(): string {
    return 'EventStoreUnavailableError'
  }
}

/** As in the contract of event stores, which stands above this. */
type Expected = 'any' | 'none' | 'exists' | number

export interface StreamConflict {
  /** The name of the event store. */
  readonly store: string
  readonly stream: string
  readonly expected: Expected
  readonly found: number
}

/** A stream is at another version than an append expected. Nothing was appended. */
export class EventConflictError extends LarderError {
  static {
    markFamily(EventConflictError)
  }

  readonly stream: string
  readonly expected: Expected
  /** The last version of the stream; 0 when it has no event. */
  readonly found: number

  constructor({ store, stream, expected, found }: StreamConflict) {
    super(
      'LARDER_STREAM_CONFLICT',
      `A stream of ${store} is at version ${found}, and an append expected ${wordsOf(expected)}. Nothing was appended.`,
    )
    this.stream = stream
    this.expected = expected
    this.found = found
  }

  override get name(): string {
    return 'EventConflictError'
  }
}

function wordsOf(expected: Expected): string {
  if (expected === 'none') return 'that it does not exist'
  return expected === 'exists' ? 'that it exists' : `version ${expected}`
}
