/** What calls about leaderboards, counters and unique visitors reject with. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/**
 * The store of the boards cannot be reached, or did not answer in time. Of a change it is unknown whether it was made: a score that is
 * submitted once more does no harm, except with `update: 'add'`.
 */
export class BoardUnavailableError extends LarderError {
  static {
    markFamily(BoardUnavailableError)
  }

  constructor(cause: unknown) {
    super(
      'LARDER_BOARD_UNAVAILABLE',
      'The store of the boards cannot say; a change may have been made or not.',
      { cause },
    )
  }

  override get name(): string {
    return 'BoardUnavailableError'
  }
}

/** A sum would be beyond ±(2^53 - 1), where numbers are no longer exact. Nothing was changed. */
export class BoardRangeError extends LarderError {
  static {
    markFamily(BoardRangeError)
  }

  /** `what`: the board or counter, by its name. */
  constructor(what: string) {
    super(
      'LARDER_BOARD_RANGE',
      `A sum of ${what} would be beyond ±(2^53 - 1), where numbers are no longer exact; it was not changed.`,
    )
  }

  override get name(): string {
    return 'BoardRangeError'
  }
}

/** The board is kept by other options, which another process gave, or an earlier version of this one: by these it would be misread. */
export class BoardOptionsError extends LarderError {
  static {
    markFamily(BoardOptionsError)
  }

  constructor() {
    super(
      'LARDER_BOARD_OPTIONS',
      'The leaderboard is kept by another best, ties, decimals, per or timeZone. All that use one name must give the same; for other ones take another name.',
    )
  }

  override get name(): string {
    return 'BoardOptionsError'
  }
}
