/**
 * Changes of a key that this node is asked for while it refreshes the key. A refresh gives way to them, and is not over before they
 * are: until then, what the refresh was to replace could be read once more.
 */

interface Overtaken {
  refreshes: number
  readonly changes: Promise<unknown>[]
}

export class Overtakings {
  readonly #keys = new Map<string, Overtaken>()

  /** A refresh begins. */
  begin(key: string): void {
    const known = this.#keys.get(key)
    if (known === undefined) this.#keys.set(key, { refreshes: 1, changes: [] })
    else known.refreshes += 1
  }

  /** This node was asked for a change; `change` settles with it. */
  note(key: string, change: Promise<unknown>): void {
    this.#keys.get(key)?.changes.push(change)
  }

  /** Resolves when the changes so far have ended, well or badly. */
  async ended(key: string): Promise<void> {
    const changes = this.#keys.get(key)?.changes ?? []
    if (changes.length > 0) await Promise.allSettled(changes)
  }

  /** A refresh is over. */
  end(key: string): void {
    const known = this.#keys.get(key)
    if (known === undefined) return
    known.refreshes -= 1
    if (known.refreshes === 0) this.#keys.delete(key)
  }
}
