/** A remote store that counts its calls, and fails them when they are too many: a loop must end in a failure. */

import type { RemoteStore } from '../../contracts/remote-store.ts'

/** No case makes so many. */
const MAX_CALLS = 2_000

export class CountedStore {
  /** The store under test, counting. */
  readonly store: RemoteStore
  /** Calls that have not been answered. */
  underWay = 0
  readonly #counts = new Map<string, number>()

  constructor(store: RemoteStore) {
    this.store = new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => this.#run(String(name), () => member.apply(target, args))
      },
    })
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  count(method: string): number {
    return this.#counts.get(method) ?? 0
  }

  /** How often each method was called, but for one. */
  countsBesides(method: string): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].filter(([name]) => name !== method))
  }

  #run(method: string, call: () => unknown): unknown {
    this.#counts.set(method, this.count(method) + 1)
    if (this.total > MAX_CALLS) throw new Error('The store was called far too often')
    const result = call()
    if (!(result instanceof Promise)) return result
    this.underWay += 1
    return result.finally(() => {
      this.underWay -= 1
    })
  }
}
