/** Promises nobody awaits: counted here so that `close()` can wait for them, and so that no rejection floats. */

import type { Emitter } from '../events/events.ts'

export class BackgroundWork {
  readonly #events: Emitter
  #running = 0
  #drained: (() => void)[] = []

  constructor(events: Emitter) {
    this.#events = events
  }

  /** Takes over a promise; a rejection becomes a `background-error` event. */
  run(task: string, work: Promise<unknown>): void {
    this.#running += 1
    work.then(this.#ended, (error: unknown) => {
      this.#ended()
      this.#events.emit('background-error', { task, error })
    })
  }

  /** Resolves when everything taken over so far, and what that started, has ended. */
  drain(): Promise<void> {
    if (this.#running === 0) return Promise.resolve()
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  readonly #ended = (): void => {
    this.#running -= 1
    if (this.#running > 0) return
    const drained = this.#drained
    this.#drained = []
    for (const resolve of drained) resolve()
  }
}
