/** Arguments, or what a key function returned, cannot become a key. */

import { LarderError } from './larder-error.ts'

/** Thrown when no key can be made; the message names the argument and the path inside it. */
export class KeyError extends LarderError {
  override readonly name = 'KeyError'

  constructor(message: string) {
    super('LARDER_KEY', message)
  }
}
