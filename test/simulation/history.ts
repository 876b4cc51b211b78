/** What happened, one line an event. The number of a line is the moment it happened: every check compares such numbers. */

export class History {
  readonly #now: () => number
  readonly #lines: string[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  /** Writes a line and returns its number, which is higher than that of everything before. */
  note(who: string, what: string): number {
    this.#lines.push(`${this.#now().toFixed(0).padStart(6)} ms  ${who.padEnd(6)} ${what}`)
    return this.#lines.length
  }

  /** What the time is, ms. */
  get time(): number {
    return this.#now()
  }

  /** The moment of the last line. */
  get moment(): number {
    return this.#lines.length
  }

  /** The lines with their numbers; the last `atMost` of them. */
  text(atMost = Number.POSITIVE_INFINITY): string {
    const from = Math.max(0, this.#lines.length - atMost)
    return this.#lines
      .slice(from)
      .map((line, i) => `#${String(from + i + 1).padEnd(5)} ${line}`)
      .join('\n')
  }
}
