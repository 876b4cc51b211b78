/** Jobs that share a key run one after the other in this process; others run beside each other. */

export class KeyTurns {
  /** By key, the end of the last job that has it. */
  readonly #last = new Map<string, Promise<void>>()

  async run<Result>(keys: readonly string[], work: () => Promise<Result>): Promise<Result> {
    // All turns are taken in one step, so two jobs never wait for each other.
    const before = [...new Set(keys.map((key) => this.#last.get(key)))]
    let end: () => void = () => undefined
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    for (const key of keys) this.#last.set(key, ended)
    try {
      await Promise.all(before)
      return await work()
    } finally {
      for (const key of keys) if (this.#last.get(key) === ended) this.#last.delete(key)
      end()
    }
  }
}
