/**
 * The local tier: the store that was given, and shortcuts to what it holds.
 *
 * Everything that is put into the store or taken out of it passes here, and what the store drops by itself it tells. So
 * shortcuts are gone before anybody can ask for what they led to. A store that does not ask about use (`askAboutUse`) has to
 * see each hit: then there are no shortcuts.
 */

import type { LocalStore } from '../contracts/local-store.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import { Shortcuts } from './shortcuts.ts'

export class LocalTier {
  readonly measuresBytes: boolean
  readonly #store: LocalStore<LocalEntry>
  /** By name of the cache. */
  readonly #shortcuts = new Map<string, Shortcuts>()

  constructor(store: LocalStore<LocalEntry>) {
    this.#store = store
    this.measuresBytes = store.measuresBytes
  }

  /** From now on the store is this tier's, and `onDrop` is told what it drops for room. */
  open(onDrop: (fullKey: string) => void): void {
    this.#store.onDrop = (fullKey) => {
      this.#forget(fullKey)
      onDrop(fullKey)
    }
    this.#store.askAboutUse?.((entry) => entry.takeUse())
  }

  /** Empties the store and hears no more of it. */
  close(): void {
    this.clear()
    this.#store.onDrop = undefined
  }

  /** The shortcuts to a cache's entries, if hits need not be seen by the store. */
  shortcutsTo(cache: string): Shortcuts | undefined {
    if (this.#store.askAboutUse === undefined) return undefined
    const known = this.#shortcuts.get(cache)
    if (known !== undefined) return known
    const made = new Shortcuts(cache)
    this.#shortcuts.set(cache, made)
    return made
  }

  get size(): number {
    return this.#store.size
  }

  get bytes(): number {
    return this.#store.bytes
  }

  get(fullKey: string): LocalEntry | undefined {
    return this.#store.get(fullKey)
  }

  peek(fullKey: string): LocalEntry | undefined {
    return this.#store.peek(fullKey)
  }

  set(fullKey: string, entry: LocalEntry, bytes: number): void {
    // Also for an entry that the store refuses, which takes the older one with it.
    this.#forget(fullKey)
    this.#store.set(fullKey, entry, bytes)
  }

  delete(fullKey: string): boolean {
    this.#forget(fullKey)
    return this.#store.delete(fullKey)
  }

  clear(): void {
    for (const shortcuts of this.#shortcuts.values()) shortcuts.clear()
    this.#store.clear()
  }

  keys(): Iterable<string> {
    return this.#store.keys()
  }

  #forget(fullKey: string): void {
    if (this.#shortcuts.size === 0) return
    this.#shortcuts.get(fullKey.slice(0, fullKey.indexOf(':')))?.forget(fullKey)
  }
}
