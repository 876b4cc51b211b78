/** Gathers what is asked for in one tick into few calls. */

interface Pending<Item, Result> {
  readonly item: Item
  resolve(result: Result): void
  reject(error: unknown): void
}

export class TickBatch<Item, Result> {
  readonly #run: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly #most: number
  readonly #groupOf: ((item: Item) => string) | undefined
  #pending: Pending<Item, Result>[] = []

  /** `run` gets at most `most` items, of one group where there are groups, and answers each in order. */
  constructor(
    run: (items: readonly Item[]) => Promise<readonly Result[]>,
    most: number,
    groupOf: ((item: Item) => string) | undefined,
  ) {
    this.#run = run
    this.#most = most
    this.#groupOf = groupOf
  }

  /** @throws what the call rejects with that the item is part of */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ item, resolve, reject })
      if (this.#pending.length === 1) process.nextTick(this.#flush)
    })
  }

  readonly #flush = (): void => {
    const pending = this.#pending
    this.#pending = []
    for (const group of this.#groupsOf(pending)) {
      for (let from = 0; from < group.length; from += this.#most) {
        this.#send(group.slice(from, from + this.#most))
      }
    }
  }

  #groupsOf(pending: Pending<Item, Result>[]): Iterable<Pending<Item, Result>[]> {
    const groupOf = this.#groupOf
    if (groupOf === undefined || pending.length === 1) return [pending]
    const groups = new Map<string, Pending<Item, Result>[]>()
    for (const each of pending) {
      const id = groupOf(each.item)
      const group = groups.get(id)
      if (group === undefined) groups.set(id, [each])
      else group.push(each)
    }
    return groups.values()
  }

  #send(group: readonly Pending<Item, Result>[]): void {
    this.#run(group.map(({ item }) => item)).then(
      (results) => {
        for (let i = 0; i < group.length; i++) group[i]?.resolve(results[i] as Result)
      },
      (error: unknown) => {
        for (const each of group) each.reject(error)
      },
    )
  }
}
