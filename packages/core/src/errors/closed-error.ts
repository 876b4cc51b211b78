/** The manager was closed. */

import { LarderError } from './larder-error.ts'

/** Thrown by operations on a closed cache manager. */
export class ClosedError extends LarderError {
  constructor() {
    super('LARDER_CLOSED', 'This cache manager was closed.')
  }

  override get name(): string {
    return 'ClosedError'
  }
}
