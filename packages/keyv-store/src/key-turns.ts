/**
 * Makes the writes of one key run one after another.
 *
 * Keyv does work of its own before it calls its backend (hooks, serializing, compressing), more for a `set` than for a
 * `delete`: without turns, a delete could arrive before the set that was called first, and leave the value that it should remove.
 *
 * A write that is never answered must not hold up its key for ever. After a while the next write goes first; and as it is unknown
 * what it does when it ends after all, the key is then deleted once more: a lost hit, where there might be an old value.
 */

/** How long nothing may move on before a write is passed by, ms: far longer than any caller waits. */
const PATIENCE_MS = 10_000

/** The writes of one key that are called and have not ended. */
interface Line {
  /** Resolves when the last one has ended, well or badly. */
  end: Promise<void>
  /** When one of them was called, began or ended last. */
  movedAt: number
}

export class KeyTurns {
  readonly #lines = new Map<string, Line>()
  readonly #remove: (key: string) => Promise<unknown>
  readonly #now: () => number

  /** `now`: ms, of a clock that does not go back. */
  constructor(remove: (key: string) => Promise<unknown>, now = () => performance.now()) {
    this.#remove = remove
    this.#now = now
  }

  /** Runs a write when the earlier writes of its keys have ended, well or badly. */
  run<Result>(keys: readonly string[], write: () => Promise<Result>): Promise<Result> {
    const earlier = keys.flatMap((key) => this.#earlier(key))
    const begin = (): Promise<Result> => {
      this.#moved(keys)
      return write()
    }
    const result = earlier.length === 0 ? write() : Promise.all(earlier).then(begin)
    const ended = (): void => this.#ended(keys, end)
    const end: Promise<void> = result.then(ended, ended)
    for (const key of keys) {
      const line = this.#lines.get(key)
      if (line === undefined) this.#lines.set(key, { end, movedAt: this.#now() })
      else line.end = end
    }
    return result
  }

  /** What a write of a key has to wait for. */
  #earlier(key: string): readonly Promise<void>[] {
    const line = this.#lines.get(key)
    if (line === undefined) return []
    if (this.#now() - line.movedAt <= PATIENCE_MS) return [line.end]
    void line.end.then(() => this.#removeAgain(key))
    this.#lines.delete(key)
    return []
  }

  /** Never rejects: a backend that is away now was reported long ago. */
  async #removeAgain(key: string): Promise<void> {
    await this.run([key], () => this.#remove(key)).catch(() => undefined)
  }

  #moved(keys: readonly string[]): void {
    for (const key of keys) {
      const line = this.#lines.get(key)
      if (line !== undefined) line.movedAt = this.#now()
    }
  }

  #ended(keys: readonly string[], end: Promise<void>): void {
    this.#moved(keys)
    for (const key of keys) {
      if (this.#lines.get(key)?.end === end) this.#lines.delete(key)
    }
  }
}
