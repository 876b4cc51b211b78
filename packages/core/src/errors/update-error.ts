/** What an update of an entry (`cache.update`) rejects with when it does not come to its end. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** The entry was changed by others during every try. Nothing was changed by this update. */
export class UpdateConflictError extends LarderError {
  static {
    markFamily(UpdateConflictError)
  }

  /** How often it was tried, and how often the callback ran. */
  readonly tries: number

  constructor(key: string, tries: number) {
    super(
      'LARDER_UPDATE_CONFLICT',
      `Updating ${key} was given up after ${tries} tries: others changed it during each of them.`,
      { key },
    )
    this.tries = tries
  }

  override get name(): string {
    return 'UpdateConflictError'
  }
}

/** The update could not be carried out. Nothing of it waits to be done later. */
export class UpdateFailedError extends LarderError {
  static {
    markFamily(UpdateFailedError)
  }

  /** True when the store may have carried it out all the same: its replies were lost. */
  readonly mayBeDone: boolean

  /** `what`: why, as the rest of a sentence. */
  constructor(
    key: string,
    what: string,
    { mayBeDone = false, cause }: { readonly mayBeDone?: boolean; readonly cause?: unknown } = {},
  ) {
    const end = mayBeDone ? 'It may have been carried out.' : 'Nothing was changed.'
    super('LARDER_UPDATE_FAILED', `Updating ${key} failed: ${what}. ${end}`, { key, cause })
    this.mayBeDone = mayBeDone
  }

  override get name(): string {
    return 'UpdateFailedError'
  }
}
