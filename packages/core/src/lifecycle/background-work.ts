/** Promises that no caller awaits: counted here so that `close()` can wait for them, and so that every rejection is handled. */

/** Receives failures of work that no caller awaits; an event of the manager. */
export interface FailureReports {
  emit(event: 'background-error', failure: { readonly task: string; readonly error: unknown }): void
}

export class BackgroundWork {
  readonly #reports: FailureReports
  #running = 0
  #drained: (() => void)[] = []

  constructor(reports: FailureReports) {
    this.#reports = reports
  }

  /** Takes over a promise; a rejection becomes a `background-error` event. */
  run(task: string, work: Promise<unknown>): void {
    this.#running += 1
    work.then(this.#ended, (error: unknown) => {
      this.#ended()
      this.#reports.emit('background-error', { task, error })
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
