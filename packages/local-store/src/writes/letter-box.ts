/** The dead letters of a write queue in memory. */

import type { BuriedWrite } from '@larder/core/store'

type Letter = Omit<BuriedWrite, 'isOutdated'>

export class LetterBox {
  readonly #letters = new Map<string, { readonly letter: Letter; readonly at: number }>()
  /** By key, the id of the one that no newer write has outdated. */
  readonly #latest = new Map<string, string>()

  get size(): number {
    return this.#letters.size
  }

  /** `isLatest`: no newer write of the key waits. */
  add(letter: Letter, at: number, isLatest: boolean): void {
    this.#letters.set(letter.id, { letter, at })
    if (isLatest) this.#latest.set(letter.key, letter.id)
  }

  /** A newer write of the key was queued. */
  outdate(key: string): void {
    this.#latest.delete(key)
  }

  get(id: string): BuriedWrite | undefined {
    const letter = this.#letters.get(id)?.letter
    return letter && { ...letter, isOutdated: this.#latest.get(letter.key) !== id }
  }

  list(skip: number, take: number): readonly BuriedWrite[] {
    const ids = [...this.#letters].sort(
      ([a, one], [b, other]) => one.at - other.at || Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )
    return ids.slice(skip, skip + take).flatMap(([id]) => this.get(id) ?? [])
  }

  remove(id: string): BuriedWrite | undefined {
    const letter = this.get(id)
    if (letter === undefined) return undefined
    this.#letters.delete(id)
    if (!letter.isOutdated) this.#latest.delete(letter.key)
    return letter
  }
}
