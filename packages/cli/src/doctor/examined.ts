/** What a check is given. */

import type { Inspection } from '@larder/redis-store/inspect'

export interface ExamineOptions {
  /** The namespace whose keys and channels are tried. */
  readonly namespace: string
  readonly signal?: AbortSignal | undefined
}

/** The Redis, and how it is examined. */
export interface Examined extends ExamineOptions {
  readonly inspection: Inspection
}
