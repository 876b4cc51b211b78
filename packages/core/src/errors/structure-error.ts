/** What calls about maps, sets and lists reject with. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/**
 * The store of the structures cannot be reached, did not answer in time, or holds something that cannot be read. Of a change it is unknown
 * whether it was made: a put or a removal that is made once more does no harm.
 */
export class StructureUnavailableError extends LarderError {
  static {
    markFamily(StructureUnavailableError)
  }

  constructor(
    cause: unknown,
    what = 'The store of the structures cannot say; a change may have been made or not',
  ) {
    super('LARDER_STRUCTURE_UNAVAILABLE', `${what}.`, { cause })
  }

  override get name(): string {
    return 'StructureUnavailableError'
  }
}

/** A structure has no room for new items. Nothing was changed. */
export class StructureFullError extends LarderError {
  static {
    markFamily(StructureFullError)
  }

  /** How many items it may have. */
  readonly most: number

  /** `what`: the structure, by its kind and name. */
  constructor(what: string, most: number) {
    super(
      'LARDER_STRUCTURE_FULL',
      `${what} has no room for more: it holds at most ${most}; nothing was changed.`,
    )
    this.most = most
  }

  override get name(): string {
    return 'StructureFullError'
  }
}
