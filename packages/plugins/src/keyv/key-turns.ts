/**
 * Writes of one key, one after another.
 *
 * Keyv does work of its own before it calls its backend (hooks, serializing, compressing), more for a `set` than for a
 * `delete`: without turns, a delete could arrive before the set that was called first, and leave what it was to remove.
 */
export class KeyTurns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs a write when the earlier writes of its keys have ended, well or badly. */
  run<Result>(keys: readonly string[], write: () => Promise<Result>): Promise<Result> {
    const earlier = keys.flatMap((key) => this.#last.get(key) ?? [])
    const result = earlier.length === 0 ? write() : Promise.all(earlier).then(write)
    const end: Promise<void> = result.then(
      () => this.#forget(keys, end),
      () => this.#forget(keys, end),
    )
    for (const key of keys) this.#last.set(key, end)
    return result
  }

  #forget(keys: readonly string[], end: Promise<unknown>): void {
    for (const key of keys) {
      if (this.#last.get(key) === end) this.#last.delete(key)
    }
  }
}
