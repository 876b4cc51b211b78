/**
 * Puts of this node that are on their way to the store.
 *
 * Calls of one node may overtake one another: two connections, a request that is sent again. So what this node asks for
 * while a put of the same key is under way is marked as voiding that put, for stores in which the last one executed would
 * win.
 */
export class PutsUnderWay {
  readonly #counts = new Map<string, number>()

  has(key: string): boolean {
    return this.#counts.has(key)
  }

  /** Runs what writes the key, and counts it as under way until that has ended. */
  async during<Result>(key: string, write: () => Promise<Result>): Promise<Result> {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    try {
      return await write()
    } finally {
      const left = (this.#counts.get(key) ?? 0) - 1
      if (left > 0) this.#counts.set(key, left)
      else this.#counts.delete(key)
    }
  }
}
