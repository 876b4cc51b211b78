/** What the server answers when it refuses: it is there, so this is not an outage. */

import { StoreKeyError } from '@larder/core'
import type { LimitReply } from '@larder/core/store'

/** True for errors that the server sent, as opposed to those of a connection. */
export function isAnswer(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return (
    error.name === 'ReplyError' || (error as { code?: unknown }).code === 'LARDER_STORE_REFUSED'
  )
}

/** The same, as a circuit breaker takes it for a sign of life. */
export function keyError(operation: string, cause: unknown): StoreKeyError {
  return new StoreKeyError(operation, cause)
}

/** What a call is told that could not be decided. */
export function undecided(error: unknown): LimitReply {
  return { admitted: false, waitUs: 0, refusedBy: -1, states: [], nowUs: 0, error }
}
