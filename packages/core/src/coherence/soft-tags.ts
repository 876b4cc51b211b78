/**
 * Soft evictions by tag. They are versions of the same clock as hard ones, under a name of their own in the same table:
 * `\~t` beside `t`. So whatever is done for a tag (messages, range reads, the recovery queue, repeating what a store lost)
 * is also done for its soft evictions, in every store and without code of its own; and the two names cannot be confused.
 *
 * An entry that was born before the soft version of one of its tags is a fallback: it is kept for when loads fail, and is never fresh
 * again.
 */

/** No user's tag has such a name: `tagName` writes a backslash in front of another backslash, `*`, `@` and `%` only. */
const MARK = '\\~'

/** Returns the table's name for soft evictions of a tag, itself a name of the table. */
export function softTag(tag: string): string {
  return MARK + tag
}

/** Returns the tag that a name of the table is about, evicted softly or not. */
export function tagBehind(name: string): string {
  return name.startsWith(MARK) ? name.slice(MARK.length) : name
}

/** The soft versions of a mirror, by their tags, so that an entry is judged without making names. */
export class SoftTags {
  readonly #versions = new Map<string, number>()

  /** False while nothing was evicted softly; then this check is the only cost. */
  get isInUse(): boolean {
    return this.#versions.size > 0
  }

  /** Notes the version of a name of the table, if the name is a soft one. */
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
