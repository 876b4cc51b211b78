/** A value would not come back from the cache unchanged. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** Where a value was to be kept. */
export interface ValuePlace {
  /** The method or call, such as `@Cacheable(Users.find)`. */
  readonly where: string
  readonly cache: string
  /** The full key. */
  readonly key: string
}

/** Thrown when a value holds something that no codec can restore, such as an instance of an unregistered class. */
export class ValueError extends LarderError {
  static {
    markFamily(ValueError)
  }

  /** Where in the value, such as `$.items[3].price`. */
  readonly path: string
  // Declared only: codecs do not know them, and throw errors without them.
  /** The method or call whose value it is, such as `@Cacheable(Users.find)`. */
  declare readonly where?: string
  declare readonly cache?: string

  constructor(message: string, path: string, key?: string, cause?: unknown) {
    super('LARDER_VALUE', message, { key, cause })
    this.path = path
  }

  override get name(): string {
    return 'ValueError'
  }

  /** The same error, naming the method and the cache as well. */
  at({ where, cache, key }: ValuePlace): ValueError {
    const message = `${where}, cache ${cache}: ${this.message}`
    const error = new ValueError(message, this.path, key, this.cause)
    return Object.assign(error, { where, cache })
  }
}
