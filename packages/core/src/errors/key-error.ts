/** Arguments, or what a key function returned, cannot become a key. */

import { markFamily } from './family.ts'
import { LarderError, type LarderErrorDetails } from './larder-error.ts'

/** Thrown when no key can be made; the message names the argument and the path inside it, never their values. */
export class KeyError extends LarderError {
  static {
    markFamily(KeyError)
  }

  // Declared only: the code that makes keys knows neither.
  /** The method or call whose key it is, such as `@Cacheable(Users.find)`. */
  declare readonly where?: string
  declare readonly cache?: string

  constructor(message: string, details?: LarderErrorDetails) {
    super('LARDER_KEY', message, details)
  }

  override get name(): string {
    return 'KeyError'
  }
}

/** Returns an error that names the method and the cache, if it is a KeyError that does not name them yet. */
export function keyErrorAt(error: unknown, where: string, cache?: string): unknown {
  const isPlain = error instanceof KeyError && error.cause === undefined
  if (!isPlain) return error
  const place = cache === undefined ? where : `${where}, cache ${cache}`
  const placed = new KeyError(`${place}: ${error.message}`, { cause: error })
  return Object.assign(placed, { where }, cache === undefined ? {} : { cache })
}
