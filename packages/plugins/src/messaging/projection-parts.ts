/** What projections and their lanes are made of. */

import type { EventStoreParts, KeptEvent } from '@larder/core/store'
import type { ResolvedEventStoreOptions, ResolvedProjectOptions } from './event-store-options.ts'
import type { StoredEvent } from './event-values.ts'

/** What a handler is told beside the event. */
export interface EventTurn {
  /**
   * Rises with each turn of the partition. Write it beside what you write, and refuse to write over a higher one: then a process that
   * was paused for longer than `lease` cannot undo what its successor did.
   */
  readonly fence: number
  /** Aborted when the turn is lost, or the projection is closed. */
  readonly signal: AbortSignal
}

export type EventHandler<Output> = (event: StoredEvent<Output>, turn: EventTurn) => unknown

export interface ProjectionParts<Output> {
  readonly name: string
  readonly handler: EventHandler<Output>
  readonly options: ResolvedProjectOptions
  readonly store: ResolvedEventStoreOptions
  readonly parts: EventStoreParts
  /** Makes sure of the number of partitions. */
  readonly declare: () => Promise<void>
  readonly open: (event: KeptEvent, partition: number) => Promise<StoredEvent<Output>>
  readonly onEnd: () => void
}
