/** Keys whose stale response was served, and whose next request is to have it made anew. Bounded: the oldest are forgotten. */

const MOST = 10_000

export class DueRefreshes {
  readonly #keys = new Set<string>()

  add(key: string): void {
    this.#keys.delete(key)
    if (this.#keys.size >= MOST) {
      for (const oldest of this.#keys) {
        this.#keys.delete(oldest)
        break
      }
    }
    this.#keys.add(key)
  }

  /** True once for each time it was added. */
  take(key: string): boolean {
    return this.#keys.size > 0 && this.#keys.delete(key)
  }
}
