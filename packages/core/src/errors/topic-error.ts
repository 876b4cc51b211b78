/** What calls about topics reject with. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** The store of the topics cannot be reached, or did not answer in time: it is unknown whether the message was published. */
export class TopicUnavailableError extends LarderError {
  static {
    markFamily(TopicUnavailableError)
  }

  constructor(cause: unknown) {
    super(
      'LARDER_TOPIC_UNAVAILABLE',
      'The store of the topics cannot say; the message may have been published or not.',
      { cause },
    )
  }

  override get name(): string {
    return 'TopicUnavailableError'
  }
}
