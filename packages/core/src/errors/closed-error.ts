/** The manager was closed. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** Thrown by operations on a closed cache manager. */
export class ClosedError extends LarderError {
  static {
    markFamily(ClosedError)
  }

  /** `namespace`: that of the manager; `call`: what was called after it was closed, such as `Products.find`. */
  constructor(namespace?: string, call?: string) {
    const whose =
      namespace === undefined ? 'This cache manager' : `The cache manager of ${namespace}`
    const late = call === undefined ? '' : ` ${call} was called after that.`
    super('LARDER_CLOSED', `${whose} was closed.${late}`)
  }

  override get name(): string {
    return 'ClosedError'
  }
}
