/** What a put stands on: what was known before its value was made. Whatever changed the key after that may be newer than it. */

import type { Stamp } from '../entry/stamp.ts'
import type { ChangeMarks } from './change-marks.ts'

export interface PutFence {
  /** The moment after which changes count, see `ChangeMarks`. */
  readonly mark: number
  /** The value is no older than that, monotonic ms. */
  readonly begunAt: number
  /** What was known of a partition. */
  stampOf(partition: number): Stamp
  /** The put is over, or will not come. Calling it again does nothing. */
  end(): void
}

/** Begins to note changes at `begunAt`, which is now; `end` has to follow. */
export function openPutFence(
  marks: ChangeMarks,
  begunAt: number,
  stampOf: (partition: number) => Stamp,
): PutFence {
  let isOver = false
  const mark = marks.begin()
  return {
    mark,
    begunAt,
    stampOf,
    end: () => {
      if (isOver) return
      isOver = true
      marks.end(mark)
    },
  }
}
