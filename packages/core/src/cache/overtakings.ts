/**
 * Changes of a key that this node is asked for while it refreshes the key. A refresh gives way to them, and is not over before they
 * are: until then, what the refresh was to replace could be read once more.
 */

interface Overtaken {
  refreshes: number
  readonly changes: Promise<unknown>[]
  /** One of them was a soft eviction, which leaves the old value for failed loads. */
  leavesOld: boolean
}

export class Overtakings {
  readonly #keys = new Map<string, Overtaken>()

  /** A refresh begins. */
  begin(key: string): void {
    const known = this.#keys.get(key)
    if (known === undefined) this.#keys.set(key, { refreshes: 1, changes: [], leavesOld: false })
    else known.refreshes += 1
  }

  /** This node was asked for a change; `change` settles with it. */
  note(key: string, change: Promise<unknown>, isSoft = false): void {
    const known = this.#keys.get(key)
    if (known === undefined) return
    known.changes.push(change)
    known.leavesOld ||= isSoft
  }

  /** Resolves when the changes so far have ended, well or badly; true when one of them leaves the old value for failed loads. */
  async ended(key: string): Promise<boolean> {
    const known = this.#keys.get(key)
    if (known === undefined || known.changes.length === 0) return false
    await Promise.allSettled(known.changes)
    return known.leavesOld
  }

  /** A refresh is over. */
  end(key: string): void {
    const known = this.#keys.get(key)
    if (known === undefined) return
    known.refreshes -= 1
    if (known.refreshes === 0) this.#keys.delete(key)
  }
}
