/** Which puts stand: stored, and neither followed nor accompanied by another change of the same key. */

import type { Target } from './ledger.ts'
import type { Origin } from './source.ts'

interface Change {
  readonly targets: readonly Target[]
  readonly begunAt: number
  /** When its caller went on. */
  endedAt: number
  /** What it put; `undefined` for an eviction, and for an update that has not ended. */
  origin: Origin | undefined
}

export class PutRecord {
  readonly #changes: Change[] = []

  /** Notes a put or eviction whose end is to be set. */
  begin(targets: readonly Target[], begunAt: number, origin: Origin | undefined): Change {
    const change = { targets, begunAt, endedAt: Number.POSITIVE_INFINITY, origin }
    this.#changes.push(change)
    return change
  }

  /** Returns the put that stands for a key, if one does. Changes by tag count for every key. */
  standing(target: Target): Origin | undefined {
    const changes = this.#changes.filter(({ targets }) =>
      targets.some((other) => other === target || other.startsWith('tag ')),
    )
    const last = changes.at(-1)
    if (last?.origin?.isStored !== true) return undefined
    const isAlone = changes.every((change) => change === last || change.endedAt < last.begunAt)
    return isAlone ? last.origin : undefined
  }
}
