/**
 * Which messages of which publisher a subscription has come to, so that gaps show.
 *
 * Every publisher numbers its messages of a topic. One that starts anew is another one, with numbers of its own. What a publisher sent
 * before the first message of it that came is not counted: it may have been sent before the subscription began.
 */

/** Publishers come and go with their processes, so of more than these the one that was silent for longest is forgotten. */
const MOST_PUBLISHERS = 10_000

export class PublisherSequences {
  /** The last number of each, the one that was heard last at the end. */
  readonly #last = new Map<string, number>()

  /**
   * Takes a number in.
   *
   * @returns how many before it are missing; `late` when it was passed already, and so was counted as missing or came twice
   */
  note(publisher: string, sequence: number): number | 'late' {
    const last = this.#last.get(publisher)
    if (last !== undefined && sequence <= last) return 'late'
    this.#last.delete(publisher)
    this.#last.set(publisher, sequence)
    if (this.#last.size > MOST_PUBLISHERS) {
      const [silent] = this.#last.keys()
      if (silent !== undefined) this.#last.delete(silent)
    }
    return last === undefined ? 0 : sequence - last - 1
  }
}

/** The number in the id of a message; `undefined` when there is none. */
export function sequenceIn(id: string): number | undefined {
  if (!/^[1-9]\d{0,15}$/.test(id)) return undefined
  const sequence = Number(id)
  return Number.isSafeInteger(sequence) ? sequence : undefined
}
