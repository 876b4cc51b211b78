/** Arguments, or what a key function returned, cannot become a key. */

import { LarderError, type LarderErrorDetails } from './larder-error.ts'

/** Thrown when no key can be made; the message names the argument and the path inside it, never their values. */
export class KeyError extends LarderError {
  constructor(message: string, details?: LarderErrorDetails) {
    super('LARDER_KEY', message, details)
  }

  override get name(): string {
    return 'KeyError'
  }
}

/** Returns an error that says which method it is about, if it is a KeyError that does not say so yet. */
export function keyErrorAt(error: unknown, where: string): unknown {
  const isPlain = error instanceof KeyError && error.cause === undefined
  return isPlain ? new KeyError(`${where}: ${error.message}`, { cause: error }) : error
}
