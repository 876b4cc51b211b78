/**
 * This node's mirror of the tag clock: which tags were invalidated lately, and when.
 *
 * An entry carries its birth: the highest tag version this node knew *before* the load began. It is valid if and only if
 * it was born at or after the floor and none of its tags has a version above its birth. Because birth precedes the load, tags
 * computed from the result are as safe as tags computed from the arguments; a mirror that lags makes births too early,
 * which costs misses and never serves a stale value.
 *
 * One table holds several kinds of tags: the user's own, `@cache` for every named cache, `*` for the namespace, and `%7` for
 * partition 7, when the recovery queue had to escalate. A tag may also have a soft version, under another name (soft-tags.ts).
 *
 * An invalidation that has not reached the store yet is applied here at a *provisional* version: a quarter above the highest known
 * one. Versions are whole numbers, so it cannot collide with a minted one, and it lies before the next one.
 *
 * Many provisional versions can raise this node's clock above what the store has minted, or will mint next. So entries that leave
 * this node carry the *confirmed* clock as their birth, never more: other nodes could not interpret a higher one. And a version that
 * the store minted below this node's clock is still new here: it is *displaced* above everything that was born here until now, and the
 * minted number is kept beside it, for entries that were born elsewhere.
 *
 * The two are told apart by their births: one is a whole number only if the whole clock up to it was known, here or on another node.
 * Where versions below it are missing, it is provisional. That there is a later version does not show that they were minted before
 * what is born now: it may be of a history that the store has lost since.
 */

import type { TagBump, TagChanges, TagHead } from '../contracts/remote-store.ts'
import { PARTITIONS } from './partitions.ts'
import { SoftTags, softTag } from './soft-tags.ts'

/** The tag every entry of the namespace carries. */
export const EVERYTHING = '*'

/** Beyond this many tags, the mirror drops the oldest and raises its floor over them. */
const MIRROR_CAP = 100_000
const PROVISIONAL_STEP = 0.25
const RESERVED = /^[*@%\\]/

/** Returns the table's name for a user's tag; reserved first characters are escaped. */
export function tagName(tag: string): string {
  return RESERVED.test(tag) ? `\\${tag}` : tag
}

/** Returns the user's tag that a name of the table stands for. */
export function tagText(name: string): string {
  return name.startsWith('\\') ? name.slice(1) : name
}

/** Returns the tag that stands for a whole named cache. */
export function cacheTag(cache: string): string {
  return `@${cache}`
}

/** A tag that no entry carries: invalidating it only moves the store's clock. */
export const NOTHING = '@'

const PARTITION_TAGS = Array.from({ length: PARTITIONS }, (_, partition) => `%${partition}`)

/** Returns the tag that stands for a whole partition. */
export function partitionTag(partition: number): string {
  return PARTITION_TAGS[partition] ?? `%${partition}`
}

/** How a message about tags fits what is known here. */
export type TagMessageFit = 'applied' | 'known' | 'gap'

/** Returns those invalidated tags that the store no longer knows, although its answer covers the time of their invalidation. */
export function missingOf(
  invalidated: readonly (readonly [tag: string, version: number])[],
  { floor, tags }: TagChanges,
): readonly string[] {
  const known = new Map(tags)
  return invalidated
    .filter(([tag, version]) => version > floor && (known.get(tag) ?? 0) < version)
    .map(([tag]) => tag)
}

export class TagClock {
  readonly #versions = new Map<string, number>()
  /** The numbers that the store minted, for tags that have a higher number here. */
  readonly #minted = new Map<string, number>()
  /** Tags whose number is known from a message only. */
  readonly #unproven = new Set<string>()
  /** Tags whose number is above the minted one only because this node's clock was. */
  readonly #displaced = new Set<string>()
  readonly #soft = new SoftTags()
  readonly #cap: number
  readonly #onChange: () => void
  #now = 0
  #confirmed = 0
  #floor = 0
  /** Tags up to this version may have been dropped here for room. */
  #trimmedTo = 0
  #anyPartition = false

  constructor(onChange: () => void, cap = MIRROR_CAP) {
    this.#onChange = onChange
    this.#cap = cap
  }

  /** The highest version known, provisional ones included: the birth of a load that starts now. */
  get now(): number {
    return this.#now
  }

  /** The highest version known to come from the store. */
  get confirmed(): number {
    return this.#confirmed
  }

  get floor(): number {
    return this.#floor
  }

  /** How many tags the mirror holds. */
  get size(): number {
    return this.#versions.size
  }

  /** Tells whether an entry of this birth stands: not below the floor, and no tag of it invalidated since. */
  allows(birth: number, cache: string, partition: number, tags: readonly string[]): boolean {
    if (birth < this.#floor) return false
    if (this.#versions.size === 0) return true
    if (this.#isAfter(EVERYTHING, birth) || this.#isAfter(cache, birth)) return false
    if (this.#anyPartition && this.#isAfter(partitionTag(partition), birth)) return false
    for (const tag of tags) {
      if (this.#isAfter(tag, birth)) return false
    }
    return true
  }

  /** Tells whether an entry of this birth, if it stands, is a fallback only: a tag of it was evicted softly since. */
  softens(birth: number, cache: string, tags: readonly string[]): boolean {
    if (!this.#soft.isInUse) return false
    if (this.#isSoftened(EVERYTHING, birth) || this.#isSoftened(cache, birth)) return true
    for (const tag of tags) {
      if (this.#isSoftened(tag, birth)) return true
    }
    return false
  }

  /** Invalidates tags here and now, at a provisional version, before the store knows. */
  invalidateHere(tags: readonly string[]): void {
    const at = provisionalAbove(this.#now)
    for (const tag of tags) this.#raise(tag, at)
    this.#now = at
    this.#trim()
    this.#onChange()
  }

  /**
   * Applies one step of the store's clock. `isHearsay`: only a message says so. If it does not follow on what is known, it may be
   * about another store: then the tags count as invalidated, and everything else waits for the range read.
   */
  applyBump(tags: readonly string[], bump: TagBump, isHearsay = false): TagMessageFit {
    if (bump.version <= this.#confirmed) return 'known'
    const follows = bump.previous === this.#confirmed
    if (isHearsay && !follows) {
      this.#hear(tags, bump.version)
      return 'gap'
    }
    const born = this.#now
    for (const tag of tags) this.#raise(tag, placeOf(bump.version, born), bump.version)
    this.#raiseFloor(bump.floor)
    // After a gap the versions in between are unknown, so only a range read may move `confirmed`.
    if (follows) this.#confirmed = bump.version
    this.#reach(bump.version)
    this.#trim()
    this.#onChange()
    return follows ? 'applied' : 'gap'
  }

  #hear(tags: readonly string[], version: number): void {
    const at = placeOf(version, this.#now)
    for (const tag of tags) {
      this.#raise(tag, at)
      this.#unproven.add(tag)
    }
    this.#reach(version)
    this.#trim()
    this.#onChange()
  }

  /** Applies a range read: everything above `confirmed`. */
  applyChanges(changes: TagChanges): void {
    const changed = changes.tags.length > 0 || changes.floor > this.#floor
    const born = this.#now
    for (const [tag, version] of changes.tags) {
      if (version <= this.mintedFor(tag)) continue
      // Heard of before: then the tag has that number already.
      const wasHeard = this.#unproven.has(tag) && this.#versions.get(tag) === version
      this.#raise(tag, wasHeard ? version : placeOf(version, born), version)
    }
    this.#raiseFloor(changes.floor)
    this.#confirmed = Math.max(this.#confirmed, changes.version)
    this.#reach(changes.version)
    this.#trim()
    if (changed) this.#onChange()
  }

  /** Tells whether the store's clock is below what the store once confirmed: then the store has lost history. */
  isAhead(head: TagHead): boolean {
    return head.version < this.#confirmed
  }

  /** Tags with a store-minted version above the given one, to be put back after the store lost them. */
  since(version: number): readonly (readonly [tag: string, version: number])[] {
    const found: (readonly [string, number])[] = []
    for (const tag of this.#versions.keys()) {
      const minted = this.mintedFor(tag)
      if (minted > version) found.push([tag, minted])
    }
    return found
  }

  /**
   * Returns the tags that the store minted at a version which was confirmed here before, and which are not known here: they
   * are of another history, of a clock that was behind.
   */
  strangersIn({ tags }: TagChanges): readonly string[] {
    return tags
      .filter(([, version]) => version <= this.#confirmed && version > this.#trimmedTo)
      .filter(([tag, version]) => version > this.mintedFor(tag))
      .map(([tag]) => tag)
  }

  /** The version of a tag that the store minted, as far as it is known here; 0 for none. */
  mintedFor(tag: string): number {
    const at = this.#versions.get(tag) ?? 0
    return Number.isInteger(at) && !this.#unproven.has(tag) ? at : (this.#minted.get(tag) ?? 0)
  }

  #isAfter(tag: string, birth: number): boolean {
    const version = this.#versions.get(tag)
    if (version === undefined || version <= birth) return false
    return !this.#displaced.has(tag) || !Number.isInteger(birth) || this.mintedFor(tag) > birth
  }

  #isSoftened(tag: string, birth: number): boolean {
    return this.#soft.isAfter(tag, birth) && this.#isAfter(softTag(tag), birth)
  }

  /** Moves the clock on to a version at least. While versions below it are missing, what is born next is not born at a whole number. */
  #reach(version: number): void {
    this.#now = Math.max(this.#now, version)
    const isWhole = Number.isInteger(this.#now)
    if (isWhole && this.#now !== this.#confirmed) this.#now = provisionalAbove(this.#now)
  }

  /** `version`: what the store has minted. An invalidation that the store does not know yet has none. */
  #raise(tag: string, at: number, version?: number): void {
    const minted = version ?? this.mintedFor(tag)
    const highest = Math.max(at, this.#versions.get(tag) ?? 0)
    this.#versions.set(tag, highest)
    this.#now = Math.max(this.#now, highest)
    this.#soft.note(tag, highest)
    if (highest === minted) this.#unproven.delete(tag)
    if (highest === minted || minted === 0) this.#minted.delete(tag)
    else this.#minted.set(tag, minted)
    if (version !== undefined && highest !== version) this.#displaced.add(tag)
    else this.#displaced.delete(tag)
    if (tag.startsWith('%')) this.#anyPartition = true
  }

  #raiseFloor(floor: number): void {
    if (floor <= this.#floor) return
    this.#floor = floor
    // The floor covers what was invalidated before it.
    for (const [tag, version] of this.#versions) {
      if (version > floor) continue
      this.#versions.delete(tag)
      this.#soft.forget(tag)
      this.#minted.delete(tag)
      this.#unproven.delete(tag)
      this.#displaced.delete(tag)
    }
  }

  #trim(): void {
    if (this.#versions.size <= this.#cap) return
    const byAge = [...this.#versions.values()].sort((a, b) => a - b)
    this.#trimmedTo = byAge[byAge.length - Math.floor(this.#cap / 2)] ?? this.#now
    this.#raiseFloor(this.#trimmedTo)
  }
}

/** The next number of a node's own; never a whole one, which could be a minted one. */
function provisionalAbove(number: number): number {
  const next = number + PROVISIONAL_STEP
  return Number.isInteger(next) ? next + PROVISIONAL_STEP : next
}

/** The number that a version gets which is new here, where `born` is the latest birth. */
function placeOf(version: number, born: number): number {
  return version > born ? version : provisionalAbove(born)
}
