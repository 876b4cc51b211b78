/** Pauses after failures of the store: they grow, vary, and end when the consumer closes. */

import type { Clock } from '@larder/core/store'

const FIRST_MS = 50
const LONGEST_MS = 1_000

export class Pauses {
  readonly #clock: Clock
  readonly #enders = new Set<() => void>()
  #isOver = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Between attempts to fetch: ends at once when the consumer closes. */
  afterFailures(failures: number): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        cancel()
        this.#enders.delete(end)
        resolve()
      }
      const cancel = this.#clock.schedule(pauseMs(failures), end, 'caller')
      this.#enders.add(end)
    })
  }

  /** Between attempts to say what became of a message: goes on while the consumer closes. */
  between(failures: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.schedule(pauseMs(failures), resolve, 'caller')
    })
  }

  end(): void {
    this.#isOver = true
    for (const end of [...this.#enders]) end()
  }
}

function pauseMs(failures: number): number {
  return (
    Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10)) * (0.5 + Math.random() / 2)
  )
}
