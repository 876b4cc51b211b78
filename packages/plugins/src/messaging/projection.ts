/** A projection: a handler of all events of an event store, with one lane for each partition. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { type KeptContext, keepContext, runIn } from '@larder/core/store'
import { type LaneState, ProjectionLane } from './projection-lane.ts'
import type { EventHandler, ProjectionParts } from './projection-parts.ts'

/** How one partition stands, seen from this process. */
export interface PartitionStatus {
  readonly partition: number
  /** `waiting`: it is another process' turn, or not known yet whose. `failing`: the last try failed, and is repeated. */
  readonly state: LaneState
  /** The position of the last event that was handled here; what was saved earlier counts. */
  readonly position: number
}

/** Whose handler runs: closing a projection in its own handler must not wait for that. */
const handling = new AsyncLocalStorage<unknown>()
const OWNER_BYTES = 12
const CLOSE_WITHIN_MS = 1_000

export class Projection<Output> implements AsyncDisposable {
  readonly #made: ProjectionParts<Output>
  readonly #context: KeptContext = keepContext()
  readonly #lanes: readonly ProjectionLane<Output>[]
  readonly #work: Promise<unknown>
  readonly #forget: () => void

  /** Use `project` of an event store. */
  constructor(made: ProjectionParts<Output>) {
    this.#made = made
    const { store, handler } = made
    const owner = randomBytes(OWNER_BYTES).toString('base64url')
    const handle: EventHandler<Output> = (event, turn) =>
      runIn(this.#context, () => handling.run(this, () => handler(event, turn)))
    this.#lanes = Array.from(
      { length: store.partitions },
      (_, partition) =>
        new ProjectionLane({
          ...made,
          handler: handle,
          partition,
          owner,
        }),
    )
    this.#work = Promise.all(this.#lanes.map((lane) => lane.run()))
    this.#forget = made.parts.store.beforeClose(() => this.#closeShortly())
  }

  /** Returns how each partition stands. */
  status(): readonly PartitionStatus[] {
    return this.#lanes.map(({ partition, state, position }) => ({ partition, state, position }))
  }

  /**
   * Stops, saves how far it has come, and gives the turns to others. Resolves when the handlers that run have ended, or at once when
   * called in one of them.
   */
  async close(): Promise<void> {
    this.#forget()
    this.#made.onEnd()
    for (const lane of this.#lanes) lane.close()
    if (handling.getStore() !== this) await this.#work
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Looks for new events of a partition now. */
  wake(partition: number): void {
    this.#lanes[partition]?.wake()
  }

  /** For the end of the manager, which a handler that never ends must not hold up. */
  async #closeShortly(): Promise<void> {
    const closed = this.close()
    let cancel: () => void = () => undefined
    const over = new Promise<void>((resolve) => {
      cancel = this.#made.parts.clock.schedule(CLOSE_WITHIN_MS, resolve, 'caller')
    })
    await Promise.race([closed, over])
    cancel()
  }
}
