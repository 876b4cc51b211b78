/** A doubly linked queue of entries. Links are in the entries, so that moving one makes no object. */

export interface Linked<Self> {
  newer: Self | undefined
  older: Self | undefined
}

export class Queue<Entry extends Linked<Entry>> {
  newest: Entry | undefined
  oldest: Entry | undefined
  size = 0

  add(entry: Entry): void {
    entry.older = this.newest
    entry.newer = undefined
    if (this.newest === undefined) this.oldest = entry
    else this.newest.newer = entry
    this.newest = entry
    this.size += 1
  }

  remove(entry: Entry): void {
    const { newer, older } = entry
    if (newer === undefined) this.newest = older
    else newer.older = older
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    this.size -= 1
  }

  /** Makes it the newest again. */
  touch(entry: Entry): void {
    if (this.newest === entry) return
    this.remove(entry)
    this.add(entry)
  }

  takeOldest(): Entry | undefined {
    const { oldest } = this
    if (oldest !== undefined) this.remove(oldest)
    return oldest
  }
}
