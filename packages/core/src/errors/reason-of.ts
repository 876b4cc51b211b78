/** The reason of an error, in one line for a person. */

import { StoreRefusedError, StoreSetupError, StoreUnavailableError } from './store-error.ts'

const LONGEST = 400
const CREDENTIALS = /(\/\/)[^/\s@]*@/g

/**
 * The most informative words of an error. For an error that only says that a call was not tried, the words of its cause; for
 * one that gathers several errors, the words of all, as Node.js does for a name with several addresses. Credentials in URLs are
 * left out.
 */
export function reasonOf(error: unknown): string {
  const words = wordsOf(error, 3).replace(/\s+/g, ' ').replace(CREDENTIALS, '$1…@')
  return words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words
}

function wordsOf(error: unknown, depth: number): string {
  if (!(error instanceof Error)) return error === undefined ? 'unknown' : String(error)
  if (error instanceof StoreUnavailableError && error.cause !== undefined && depth > 0) {
    return wordsOf(error.cause, depth - 1)
  }
  const { errors, code } = error as { errors?: unknown; code?: unknown }
  if (error.message === '' && Array.isArray(errors) && depth > 0) {
    return errors.map((one) => wordsOf(one, depth - 1)).join('; ')
  }
  return error.message || String(code ?? error.name)
}

/** The error behind one that only says that a call was not tried. */
export function rootOf(error: unknown): unknown {
  const isWrapped = error instanceof StoreUnavailableError && error.cause !== undefined
  return isWrapped ? rootOf(error.cause) : error
}

/** True for a fault that does not pass by itself. */
export function isSetupError(error: unknown): error is StoreSetupError {
  return error instanceof StoreSetupError
}

/** True where the store answers but does not write. */
export function isRefusal(error: unknown): error is StoreRefusedError {
  return error instanceof StoreRefusedError
}
