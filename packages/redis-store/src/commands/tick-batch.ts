/** Gathers the requests of one tick into few calls. */

interface Pending<Item, Result> {
  readonly item: Item
  resolve(result: Result): void
  reject(error: unknown): void
}

export interface TickBatchParts<Item, Result> {
  /**
   * Answers each item, in order, with its result or with an error of its own. `isFull`: nothing more will join, so there is no
   * reason to wait for the tick's end.
   */
  run(items: readonly Item[], isFull: boolean): Promise<readonly (Result | Error)[]>
  /** The most weight of one call; an item that is heavier goes alone. */
  readonly most: number
  /** How many items are sent without waiting for the tick's end. @default most */
  readonly gathered?: number | undefined
  /** @default 1 each */
  weightOf?(item: Item): number
  /** Items of different groups do not travel together. */
  readonly groupOf?: ((item: Item) => string | number) | undefined
  /** Items with the same number are cheaper in one call; those that have it keep their order. */
  readonly orderOf?: ((item: Item) => number) | undefined
}

export class TickBatch<Item, Result> {
  readonly #parts: TickBatchParts<Item, Result>
  #pending: Pending<Item, Result>[] = []

  constructor(parts: TickBatchParts<Item, Result>) {
    this.#parts = parts
  }

  /** @throws what the item is answered with, or what the call rejects with that it is part of */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      const count = this.#pending.push({ item, resolve, reject })
      const { most, gathered = most, groupOf } = this.#parts
      if (count === gathered && groupOf === undefined) this.#flush(true)
      else if (count === 1) process.nextTick(this.#flush, false)
    })
  }

  /** Sends what was gathered until now: what comes next must come after it. */
  flush(): void {
    this.#flush(true)
  }

  /** A full call goes at once: the other side works on it while this one gathers the next. */
  readonly #flush = (isFull: boolean): void => {
    const pending = this.#pending
    this.#pending = []
    if (pending.length === 0) return
    const { orderOf } = this.#parts
    if (orderOf !== undefined && pending.length > 1)
      pending.sort((a, b) => orderOf(a.item) - orderOf(b.item))
    for (const group of this.#groupsOf(pending)) this.#sendInPortions(group, isFull)
  }

  #groupsOf(pending: Pending<Item, Result>[]): Iterable<Pending<Item, Result>[]> {
    const { groupOf } = this.#parts
    if (groupOf === undefined || pending.length === 1) return [pending]
    const first = groupOf((pending[0] as Pending<Item, Result>).item)
    if (pending.every(({ item }) => groupOf(item) === first)) return [pending]
    const groups = new Map<string | number, Pending<Item, Result>[]>()
    for (const each of pending) {
      const id = groupOf(each.item)
      const group = groups.get(id)
      if (group === undefined) groups.set(id, [each])
      else group.push(each)
    }
    return groups.values()
  }

  #sendInPortions(group: readonly Pending<Item, Result>[], isFull: boolean): void {
    const { most } = this.#parts
    let from = 0
    let weight = 0
    for (const [at, { item }] of group.entries()) {
      const own = this.#parts.weightOf?.(item) ?? 1
      if (at > from && weight + own > most) {
        this.#send(group.slice(from, at), isFull)
        from = at
        weight = 0
      }
      weight += own
    }
    this.#send(from === 0 ? group : group.slice(from), isFull)
  }

  #send(group: readonly Pending<Item, Result>[], isFull: boolean): void {
    const items = group.map(({ item }) => item)
    this.#parts.run(items, isFull).then(
      (results) => {
        for (let i = 0; i < group.length; i++) {
          const result = results[i]
          if (result instanceof Error) group[i]?.reject(result)
          else group[i]?.resolve(result as Result)
        }
      },
      (error: unknown) => {
        for (const each of group) each.reject(error)
      },
    )
  }
}
