/** Where sessions were moved to. A session is moved once, so what is known stays true; only so many are remembered. */

const MOST = 10_000

export class MovedIds {
  readonly #tags = new Map<string, string>()

  tagOf(id: string): string | undefined {
    return this.#tags.get(id)
  }

  note(id: string, tag: string): void {
    this.#tags.delete(id)
    this.#tags.set(id, tag)
    if (this.#tags.size <= MOST) return
    const [oldest] = this.#tags.keys()
    if (oldest !== undefined) this.#tags.delete(oldest)
  }
}
