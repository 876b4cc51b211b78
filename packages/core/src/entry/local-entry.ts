/** An entry as the local tier holds it: the decoded value, its times on this node's monotonic clock, and what it stands on. */

import type { Stamp } from './stamp.ts'

/** What kind of result the entry remembers. */
export type EntryKind = 'value' | 'negative' | 'error'

/** A load failed: for a while none is tried. */
export interface Quiet {
  /** On the node's monotonic clock, ms. */
  readonly until: number
  /** Birth of the load that failed: that load did not know of later evictions. */
  readonly birth: number
}

/** What many entries have in common: their kind, and how long they may be served after they were fresh, ms. */
interface Terms {
  readonly kind: EntryKind
  readonly staleForMs: number
  readonly livesForMs: number
}

const NEVER_CHECKED = -1
/** A power of two. A cache has one of its terms for its values and one for each other kind. */
const KNOWN_TERMS = 64

const knownTerms: (Terms | undefined)[] = new Array<Terms | undefined>(KNOWN_TERMS).fill(undefined)

const quietTimes = new WeakMap<LocalEntry, Quiet>()

/**
 * One entry of the local tier. Mutable where the engine re-judges it.
 *
 * It is small, because a node may hold millions. Entries share what they have in common in a stamp, and times are whole milliseconds,
 * rounded down: V8 stores a small whole number in the object itself, and makes a separate object for any other number.
 */
export class LocalEntry {
  // The fields that a hit reads come first, so that they lie together in memory.
  /** The coherence change counter at which it was last found valid. */
  checked = NEVER_CHECKED
  /** Until then a hit needs no further check: the entry is fresh, and it is too early for an early refresh. */
  calmUntil = 0
  /** The resolved promise that hits share; made at the first hit. */
  promise: Promise<unknown> | undefined = undefined
  /** A hit was served that the local store did not see, since the store last asked. */
  isUsed = false
  value: unknown = undefined
  readonly tags: readonly string[]
  /** The stamp of the read or load. Its generation says whether the partition was doubted since. */
  stamp: Stamp
  /** Tag clock known before its load began. */
  readonly birth: number
  /** Commit id of the remote entry that it is a copy of; 0 when it is not a copy. */
  commit: number
  /** When it was last known good, on the node's monotonic clock, ms. */
  verifiedAt: number
  /** When it was made, monotonic ms. */
  createdAt = 0
  freshUntil = 0
  /** Shared with other entries. */
  #terms: Terms

  // biome-ignore lint/complexity/useMaxParams: one is made for each entry, and an object for its fields would be a second one
  constructor(
    kind: EntryKind,
    tags: readonly string[],
    stamp: Stamp,
    birth: number,
    commit: number,
    verifiedAt: number,
  ) {
    this.#terms = termsOf(kind, 0, 0)
    this.tags = tags
    this.stamp = stamp
    this.birth = birth
    this.commit = commit
    this.verifiedAt = Math.floor(verifiedAt)
  }

  get kind(): EntryKind {
    return this.#terms.kind
  }

  /** Until then it may be served while one refresh runs. */
  get staleUntil(): number {
    return this.freshUntil + this.#terms.staleForMs
  }

  /** Until then it may be served when loads fail. */
  get livesUntil(): number {
    return this.freshUntil + this.#terms.livesForMs
  }

  /** Absent while no load has failed; few do, so it is kept beside the entries. */
  get quiet(): Quiet | undefined {
    return quietTimes.get(this)
  }

  set quiet(quiet: Quiet | undefined) {
    if (quiet === undefined) quietTimes.delete(this)
    else quietTimes.set(this, quiet)
  }

  /** Tells whether it was used since this was last asked. */
  takeUse(): boolean {
    const { isUsed } = this
    this.isUsed = false
    return isUsed
  }

  /** Sets its times: instants on the node's monotonic clock, ms; each at or after the one before. */
  live(calmUntil: number, freshUntil: number, staleUntil: number, livesUntil: number): void {
    const freshEnd = Math.floor(freshUntil)
    this.calmUntil = Math.floor(calmUntil)
    this.freshUntil = freshEnd
    this.#terms = termsOf(
      this.#terms.kind,
      Math.floor(staleUntil) - freshEnd,
      Math.floor(livesUntil) - freshEnd,
    )
  }

  /** The store has confirmed that it holds the same write, read after `stamp` was taken. */
  confirm(stamp: Stamp, verifiedAt: number): void {
    this.stamp = stamp
    this.verifiedAt = Math.floor(verifiedAt)
  }

  /** Ends every time at `endAt`, unless it ends before. */
  endBy(endAt: number): void {
    const end = Math.floor(endAt)
    this.live(
      Math.min(this.calmUntil, end),
      Math.min(this.freshUntil, end),
      Math.min(this.staleUntil, end),
      Math.min(this.livesUntil, end),
    )
  }

  /** After a load born at `birth` failed: the entry is served in its place, is no longer fresh, and no load is tried for `quietMs`. */
  backOff(now: number, quietMs: number, birth: number): void {
    this.quiet = { until: Math.floor(now + quietMs), birth }
    // The entry may have been evicted softly since that load began, and refreshed before that load failed.
    this.checked = NEVER_CHECKED
    const { calmUntil, freshUntil, staleUntil, livesUntil } = this
    this.live(Math.min(calmUntil, now), Math.min(freshUntil, now), staleUntil, livesUntil)
  }

  /**
   * Ends freshness at once, keeping the value for when loads fail. A load is tried now even though the last one failed.
   * Negative entries and errors are not a fallback, so they end.
   */
  soften(): void {
    this.quiet = undefined
    this.live(0, 0, 0, this.kind === 'value' ? this.livesUntil : 0)
  }
}

/** Returns terms that are known already, if they are: most entries of a cache have the same. */
function termsOf(kind: EntryKind, staleForMs: number, livesForMs: number): Terms {
  // The names of the kinds differ in length.
  const place = (kind.length + 31 * staleForMs + 17 * livesForMs) & (KNOWN_TERMS - 1)
  const known = knownTerms[place]
  if (
    known !== undefined &&
    known.kind === kind &&
    known.staleForMs === staleForMs &&
    known.livesForMs === livesForMs
  )
    return known
  const made = { kind, staleForMs, livesForMs }
  knownTerms[place] = made
  return made
}

/**
 * Draws how long after its creation an entry is calm, that is, before a hit refreshes it ahead: XFetch (Vattani et al.,
 * VLDB 2015), `end + Δ·β·ln(random)`.
 *
 * Drawn once per entry and node instead of at every read: the distribution over nodes is the same, and a hit stays one
 * comparison.
 */
export function calmFor(freshForMs: number, loadMs: number, beta: number): number {
  return beta === 0 ? freshForMs : freshForMs + loadMs * beta * Math.log(1 - Math.random())
}

/** How old an entry is. A fallback is served only if loading fails. */
export type Age = 'fresh' | 'stale' | 'fallback'

/** Tells how old an entry is at `now`, monotonic ms. */
export function ageOf(entry: LocalEntry, now: number): Age {
  if (now < entry.freshUntil) return 'fresh'
  return now < entry.staleUntil ? 'stale' : 'fallback'
}
