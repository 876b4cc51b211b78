/** The local stores as the engine uses them: hits after the first are not told, the store asks about them before it drops. */

import type { LocalStore } from '@larder/core/store'
import { adaptiveStore, lruStore } from '@larder/local-store'
import type { Key, Policy, PolicyCache } from './policy.ts'

export const lruStorePolicy: Policy = {
  name: 'lruStore',
  create: (capacity) => new AskingStore(lruStore({ maxEntries: capacity })),
}

export const adaptiveStorePolicy: Policy = {
  name: 'adaptiveStore',
  create: (capacity) => new AskingStore(adaptiveStore({ maxEntries: capacity })),
}

interface Held {
  readonly value: object
  isUsed: boolean
}

class AskingStore implements PolicyCache {
  readonly #store: LocalStore<Held>

  constructor(store: LocalStore<Held>) {
    this.#store = store
    this.#store.askAboutUse?.((held) => {
      const { isUsed } = held
      held.isUsed = false
      return isUsed
    })
  }

  get size(): number {
    return this.#store.size
  }

  get(key: Key): object | undefined {
    const held = this.#store.peek(String(key))
    if (held === undefined) return undefined
    held.isUsed = true
    return held.value
  }

  set(key: Key, value: object): void {
    this.#store.set(String(key), { value, isUsed: false }, 0)
  }
}
