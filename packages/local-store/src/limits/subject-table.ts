/**
 * What is known of all keys, bounded, without timers.
 *
 * A map in the order of the last change, so that the first key is the one without calls for the longest time. Each change also
 * moves a pointer two steps along the map and deletes subjects that no longer matter: keys without calls disappear at the rate at
 * which others are called.
 */

import type { Subject } from './subject.ts'

const LOOKS_PER_CHANGE = 2
/** All numbers together, over all keys: some tens of megabytes. */
const MOST_NUMBERS = 8_000_000

interface Row {
  readonly subject: Subject
  readonly size: number
}

export class SubjectTable {
  readonly #maxKeys: number
  readonly #mostNumbers: number
  readonly #rows = new Map<string, Row>()
  #finger = this.#rows.entries()
  #numbers = 0

  constructor(maxKeys: number, mostNumbers = MOST_NUMBERS) {
    this.#maxKeys = maxKeys
    this.#mostNumbers = mostNumbers
  }

  get size(): number {
    return this.#rows.size
  }

  get(name: string): Subject | undefined {
    return this.#rows.get(name)?.subject
  }

  /** Keeps a subject that was changed, and makes room. */
  keep(name: string, subject: Subject, nowUs: number): void {
    this.delete(name)
    const { size } = subject
    this.#rows.set(name, { subject, size })
    this.#numbers += size
    this.#sweep(nowUs)
    for (const oldest of this.#rows.keys()) {
      if (this.#rows.size <= this.#maxKeys && this.#numbers <= this.#mostNumbers) break
      // The newest stays, however large it is.
      if (oldest === name) break
      this.delete(oldest)
    }
  }

  delete(name: string): void {
    this.#numbers -= this.#rows.get(name)?.size ?? 0
    this.#rows.delete(name)
  }

  clear(): void {
    this.#rows.clear()
    this.#numbers = 0
  }

  #sweep(nowUs: number): void {
    for (let looks = 0; looks < LOOKS_PER_CHANGE; looks++) {
      const { value, done } = this.#finger.next()
      if (done === true) {
        this.#finger = this.#rows.entries()
        return
      }
      const [name, { subject }] = value
      if (subject.isIdle(nowUs)) this.delete(name)
    }
  }
}
