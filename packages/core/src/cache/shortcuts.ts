/**
 * The shortest way from a call to its entry: an index of one cache's local entries by what calls are made with, so that a
 * hit is one look-up, with no key put together or hashed anew.
 *
 * It holds nothing that the store does not: what leaves the store, for whatever reason, leaves the index in the same
 * synchronous step. That is why it can be asked in the store's place.
 */

import type { LocalEntry } from '../entry/local-entry.ts'
import { type KeyFrame, type SoleArgument, soleArgumentOf } from '../keys/key-frame.ts'

/** Entries by the only argument of a method with default keys. */
interface ByArgument {
  readonly frame: KeyFrame
  readonly entries: Map<SoleArgument, LocalEntry>
}

/** So long is a part of a longer string that V8 makes no copy of: it keeps all of that string in memory. */
const SHARED_FROM = 13

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
