/** The entries of one stream, in their order. */

export interface LoggedEntry {
  /** Its id, as a number. */
  readonly number: number
  readonly bytes: Uint8Array
  readonly onlyFor: string | undefined
  readonly addedAt: number
}

export class StreamLog {
  #entries: LoggedEntry[] = []
  #last = 0

  get size(): number {
    return this.#entries.length
  }

  get last(): number {
    return this.#last
  }

  add(bytes: Uint8Array, onlyFor: string | undefined, now: number): number {
    this.#last += 1
    // The caller may use its bytes again.
    this.#entries.push({ number: this.#last, bytes: Uint8Array.from(bytes), onlyFor, addedAt: now })
    return this.#last
  }

  /** An id that no entry has. */
  newId(): string {
    this.#last += 1
    return `${this.#last}-0`
  }

  at(number: number): LoggedEntry | undefined {
    const entry = this.#entries[this.#indexAfter(number - 1)]
    return entry?.number === number ? entry : undefined
  }

  after(number: number, count: number): readonly LoggedEntry[] {
    const from = this.#indexAfter(number)
    return this.#entries.slice(from, from + count)
  }

  /** Removes the oldest: `surplus` of them, and those added before `since`, but none from `lowest` on. */
  trim(surplus: number, since: number, lowest: number): void {
    let count = 0
    for (const { number, addedAt } of this.#entries) {
      if (number >= lowest || (count >= surplus && addedAt >= since)) break
      count += 1
    }
    if (count > 0) this.#entries = this.#entries.slice(count)
  }

  /** Where the first entry after this number is. */
  #indexAfter(number: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#entries[middle]?.number ?? 0) > number) high = middle
      else low = middle + 1
    }
    return low
  }
}
