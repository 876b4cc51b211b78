/** A value cannot be cached and come back the same. */

import { LarderError } from './larder-error.ts'

/** Thrown when a value holds something no codec can bring back, such as an unregistered class instance. */
export class ValueError extends LarderError {
  /** Where in the value, such as `$.items[3].price`. */
  readonly path: string

  constructor(message: string, path: string, key?: string) {
    super('LARDER_VALUE', message, { key })
    this.path = path
  }

  override get name(): string {
    return 'ValueError'
  }
}
