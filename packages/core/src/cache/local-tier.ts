/**
 * The local tier: the store that was given, and shortcuts to what it holds.
 *
 * Everything that is put into the store or taken out of it passes here, and what the store drops by itself it tells. So
 * shortcuts are gone before anybody can ask for what they led to. A store that does not ask about use (`askAboutUse`) has to
 * see each hit: then there are no shortcuts.
 */

import type { LocalStore } from '../contracts/local-store.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import { type KeyFrame, type SoleArgument, soleArgumentOf } from '../keys/key-frame.ts'

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

/** Entries by the only argument of a method with default keys. */
interface ByArgument {
  readonly frame: KeyFrame
  readonly entries: Map<SoleArgument, LocalEntry>
}

/** So long is a part of a longer string that V8 makes no copy of: it keeps all of that string in memory. */
const SHARED_FROM = 13

/**
 * The shortest way from a call to its entry: an index of one cache's local entries by what calls are made with, so that a
 * hit is one look-up, with no key put together or hashed anew.
 *
 * It holds nothing that the store does not: what leaves the store, for whatever reason, leaves the index in the same
 * synchronous step. That is why it can be asked in the store's place.
 */
export class Shortcuts {
  /** By key, without the name of the cache. To be read only: what is added here has to be found when it is forgotten. */
  readonly byKey = new Map<string, LocalEntry>()
  readonly #prefix: string
  readonly #byArgument = new Map<string, ByArgument>()

  constructor(cache: string) {
    this.#prefix = `${cache}:`
  }

  /** Those by argument, of the methods whose default keys look like this. To be read only. */
  byArgument(frame: KeyFrame): ReadonlyMap<SoleArgument, LocalEntry> {
    return this.#argumentsOf(frame).entries
  }

  /** `most`: how many entries there are. More shortcuts than that would be some to entries that are gone. */
  addKey(key: string, fullKey: string, entry: LocalEntry, most: number): void {
    // A key that had to be made well-formed is stored under another text, by which it would be looked for here in vain.
    if (fullKey !== this.#prefix + key) return
    if (this.byKey.size >= most) this.byKey.clear()
    this.byKey.set(ownCopy(key), entry)
  }

  addArgument(
    argument: SoleArgument,
    fullKey: string,
    entry: LocalEntry,
    { frame, most }: { readonly frame: KeyFrame; readonly most: number },
  ): void {
    // A shortened key does not tell its argument.
    if (soleArgumentOf(this.#keyIn(fullKey), frame) !== argument) return
    const { entries } = this.#argumentsOf(frame)
    if (entries.size >= most) entries.clear()
    entries.set(typeof argument === 'string' ? ownCopy(argument) : argument, entry)
  }

  forget(fullKey: string): void {
    const key = this.#keyIn(fullKey)
    this.byKey.delete(key)
    for (const { frame, entries } of this.#byArgument.values()) {
      const argument = soleArgumentOf(key, frame)
      if (argument !== undefined) entries.delete(argument)
    }
  }

  clear(): void {
    this.byKey.clear()
    for (const { entries } of this.#byArgument.values()) entries.clear()
  }

  #keyIn(fullKey: string): string {
    return fullKey.slice(this.#prefix.length)
  }

  #argumentsOf(frame: KeyFrame): ByArgument {
    const name = `${frame.before}\n${frame.after}`
    const known = this.#byArgument.get(name)
    if (known !== undefined) return known
    const made = { frame, entries: new Map<SoleArgument, LocalEntry>() }
    this.#byArgument.set(name, made)
    return made
  }
}

/** Returns the text in memory of its own: an id is often a small part of a request, which is not to be kept with it. */
function ownCopy(text: string): string {
  return text.length < SHARED_FROM ? text : Buffer.from(text, 'utf16le').toString('utf16le')
}
