/** What calls about sessions reject with when the store cannot say. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/**
 * It is unknown whether there is such a session, or what is in it: the store cannot be reached, or what is kept cannot be read. It is
 * never said instead that there is none: a framework would make a new session, and the client would lose its old one for good.
 */
export class SessionUnavailableError extends LarderError {
  static {
    markFamily(SessionUnavailableError)
  }

  constructor(cause: unknown, what = 'The store of the sessions cannot say') {
    super('LARDER_SESSION_UNAVAILABLE', `${what}; the session may stand, and nothing is assumed.`, {
      cause,
    })
  }

  override get name(): string {
    return 'SessionUnavailableError'
  }
}
