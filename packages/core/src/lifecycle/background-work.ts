/** Promises nobody awaits: kept here so that `close()` can wait for them, and so that no rejection floats. */

import type { Emitter } from '../events/events.ts'

export class BackgroundWork {
  readonly #pending = new Set<Promise<void>>()
  readonly #events: Emitter

  constructor(events: Emitter) {
    this.#events = events
  }

  /** Takes over a promise; a rejection becomes a `background-error` event. */
  run(task: string, work: Promise<unknown>): void {
    const tracked: Promise<void> = work
      .then(
        () => undefined,
        (error: unknown) => this.#events.emit('background-error', { task, error }),
      )
      .finally(() => this.#pending.delete(tracked))
    this.#pending.add(tracked)
  }

  /** Resolves when everything taken over so far, and what that started, has ended. */
  async drain(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }
}
