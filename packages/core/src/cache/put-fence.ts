/** What a put is fenced by: what was known before its value was made. A change of the key after that may be newer than the value. */

import type { Stamp } from '../entry/stamp.ts'
import type { ChangeMarks } from './change-marks.ts'

export interface PutFence {
  /** The moment after which changes count, see `ChangeMarks`. */
  readonly mark: number
  /** The value is no older than that, monotonic ms. */
  readonly begunAt: number
  /** What was known of a partition. */
  stampOf(partition: number): Stamp
  /** To be called when the put is over, or will not be made. Calling it again does nothing. */
  end(): void
}

/** Begins to note changes at `begunAt`, which is now. `end` must be called later. */
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
