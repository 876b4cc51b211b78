/**
 * Writes of one key are queued in the order in which they were asked for, although some take longer to encode than others.
 * Writes of other keys do not wait for them.
 */

export interface KeyTurn {
  /** Resolves when the earlier writes of the same keys are on their way. */
  readonly before: Promise<unknown>
  /** To be called once the writes are on their way, or will not be. Calling it again does nothing. */
  end(): void
}

const NOW = Promise.resolve()

export class KeyTurns {
  readonly #last = new Map<string, Promise<void>>()

  take(keys: readonly string[]): KeyTurn {
    const earlier = keys.flatMap((key) => this.#last.get(key) ?? [])
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    for (const key of keys) this.#last.set(key, ended)
    const forget = (): void => {
      for (const key of keys) if (this.#last.get(key) === ended) this.#last.delete(key)
      end()
    }
    return { before: earlier.length === 0 ? NOW : Promise.all(earlier), end: forget }
  }
}
