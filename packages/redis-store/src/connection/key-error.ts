/** What the server answers about one key when it does not do what is asked: the server works, so this is not an outage. */

import { StoreKeyError } from '@larder/core'

/** These concern every key; the server's other answers are about what is kept under the key. */
const ABOUT_THE_SERVER =
  /\b(OOM|READONLY|MISCONF|NOREPLICAS|NOPERM|NOAUTH|LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK)\b/

/** The error for what the server said about one key. */
export function answerError(operation: string, words: string): Error {
  const error = new Error(words)
  return ABOUT_THE_SERVER.test(words) ? error : new StoreKeyError(operation, error)
}

/** The same for a call about one key that was rejected; errors of the connection stay what they are. */
export function keyErrorOf(operation: string, error: unknown): unknown {
  const isAnswer = error instanceof Error && error.name === 'ReplyError'
  if (!isAnswer || ABOUT_THE_SERVER.test(error.message)) return error
  return new StoreKeyError(operation, error)
}
