/**
 * Soft evictions by tag. They are versions of the same clock as hard ones, under a name of their own in the same table:
 * `\~t` beside `t`. So whatever is done for a tag (messages, range reads, the recovery queue, repeating what a store lost)
 * is done for its soft evictions without knowing of them, in every store; and neither can be confused with the other.
 *
 * An entry born before the soft version of a tag of its is a fallback: kept for when loads fail, and never fresh again.
 */

/** No user's tag has such a name: `tagName` writes a backslash in front of another backslash, `*`, `@` and `%` only. */
const MARK = '\\~'

/** Returns the table's name for soft evictions of a tag, itself a name of the table. */
export function softTag(tag: string): string {
  return MARK + tag
}

/** Returns the tag that a name of the table is about, whichever way it was evicted. */
export function tagBehind(name: string): string {
  return name.startsWith(MARK) ? name.slice(MARK.length) : name
}

/** The soft versions of a mirror, by the tags they are about: judging an entry makes no names. */
export class SoftTags {
  readonly #versions = new Map<string, number>()

  /** False while nothing was evicted softly, which is all that most applications pay. */
  get isInUse(): boolean {
    return this.#versions.size > 0
  }

  /** Takes down where a name of the table stands, if it is a soft one. */
  note(name: string, version: number): void {
    if (name.startsWith(MARK)) this.#versions.set(tagBehind(name), version)
  }

  forget(name: string): void {
    if (name.startsWith(MARK)) this.#versions.delete(tagBehind(name))
  }

  /** Tells whether the tag was evicted softly after a birth. */
  isAfter(tag: string, birth: number): boolean {
    const version = this.#versions.get(tag)
    return version !== undefined && version > birth
  }
}
