/**
 * Why a read of a key would hit, miss or be stale now, for a node that has nothing of its own in process.
 *
 * The reasons come in the order in which the engine judges what it reads back (`cache/stored-entries.ts` of core). What only
 * a node knows is left out: its own copy, evictions of its own that wait, what it doubts, and the `version` that its cache
 * asks for.
 */

import {
  cacheTag,
  EVERYTHING,
  FLAG,
  isMark,
  partitionTag,
  type StoredEntry,
  softTag,
  tagText,
  windowOf,
} from '@larder/core/store'
import type { EntryFacts } from './entry-facts.ts'

export type Outcome = 'hit' | 'stale' | 'miss'

export type Reason =
  /** Served as it is. */
  | 'fresh'
  /** Served, and loaded anew behind the reader. */
  | 'revalidating'
  /** Past its use, or evicted softly: loaded anew, and served only where that fails. */
  | 'fallback'
  | 'evicted-softly'
  /** It was evicted, or put and is gone since: the log does not say which. */
  | 'changed'
  | 'absent'
  | 'foreign'
  /** A reader cannot make a value of it. Only the application knows, so this is never said by `explainEntry`. */
  | 'undecodable'
  /** Another caller loads it; the reader waits for that. */
  | 'being-loaded'
  | 'load-given-up'
  | 'settling'
  | 'tag-evicted'
  | 'cache-cleared'
  | 'namespace-cleared'
  | 'partition-evicted'
  | 'below-floor'
  | 'history-lost'
  | 'expired'

export interface Explanation {
  readonly outcome: Outcome
  readonly reason: Reason
  /** One sentence for a person. */
  readonly words: string
  /** What came to it, and when by the server's clock, ms; `undefined` where it is not an instant that decided. */
  readonly atMs: number | undefined
  /** The tag that decided, where one did. */
  readonly tag: string | undefined
}

const US_PER_MS = 1_000

/** Explains what was found of an entry. */
export function explainEntry(facts: EntryFacts): Explanation {
  const { stored } = facts
  if (stored.kind === 'absent') return explainAbsence(facts)
  if (stored.kind === 'foreign') {
    return miss('foreign', 'What is stored under its key is not an entry that this version knows.')
  }
  if ((stored.head.flags & FLAG.empty) !== 0) return explainEmpty(facts, stored.head)
  return explainTags(facts, stored.head) ?? explainAge(facts, stored.head)
}

function explainAbsence({ log, nowMs }: EntryFacts): Explanation {
  const last = log.changes.at(-1)
  if (last !== undefined) {
    const atMs = msOf(last)
    return miss(
      'changed',
      `It was evicted ${ago(atMs, nowMs)}, and nothing was stored since.`,
      atMs,
    )
  }
  const since =
    log.head === undefined ? '' : `, and was not evicted since ${when(msOf(log.head.floor))}`
  return miss('absent', `It is not stored: never loaded, expired, or dropped for room${since}.`)
}

function explainEmpty({ nowMs }: EntryFacts, head: StoredEntry): Explanation {
  if (head.leaseToken !== 0 && head.leaseDeadline > nowMs) {
    const left = spanOf(head.leaseDeadline - nowMs)
    return miss(
      'being-loaded',
      `It is being loaded: a reader waits for that, and the lease has ${left} left.`,
    )
  }
  const windowMs = windowOf(head, nowMs)
  if (windowMs > 0) {
    const until = `what is loaded now lives no longer than ${spanOf(windowMs)}`
    return miss('settling', `It was evicted with a settle window: ${until}.`, head.createdAt)
  }
  return miss(
    'load-given-up',
    'A load of it began and did not end; the next reader takes its place.',
    head.leaseDeadline > 0 ? head.leaseDeadline : undefined,
  )
}

/** What invalidates it; `undefined` when nothing does. */
function explainTags(facts: EntryFacts, head: StoredEntry): Explanation | undefined {
  const { tags, nowMs, cache, partition } = facts
  const { clock } = tags
  if (clock === undefined) {
    const why = 'The tag clock is missing: a new one invalidates all that was stored before.'
    return miss('history-lost', why)
  }
  if (head.birth < clock.floor) {
    const at = msOf(clock.floor)
    const why = `It is from before ${when(at)}, and what was evicted until then is not known any more.`
    return miss('below-floor', why, at)
  }
  if (head.birth > clock.version) {
    const why = 'It is from a history that the store has lost: its tag clock is behind the entry.'
    return miss('history-lost', why)
  }
  const since = (name: string): number | undefined => {
    const version = tags.versions.get(name)
    return version !== undefined && version > head.birth ? msOf(version) : undefined
  }
  const all = since(EVERYTHING)
  if (all !== undefined)
    return miss('namespace-cleared', `The namespace was cleared ${ago(all, nowMs)}.`, all)
  const cleared = since(cacheTag(cache))
  if (cleared !== undefined)
    return miss('cache-cleared', `The cache ${cache} was cleared ${ago(cleared, nowMs)}.`, cleared)
  const lost = since(partitionTag(partition))
  if (lost !== undefined) {
    const why = `All of its partition ${partition} was invalidated ${ago(lost, nowMs)}, after evictions that could not be told one by one.`
    return miss('partition-evicted', why, lost)
  }
  for (const tag of head.tags) {
    const at = since(tag)
    if (at === undefined) continue
    const text = tagText(tag)
    return {
      ...miss('tag-evicted', `Its tag ${text} was evicted ${ago(at, nowMs)}.`, at),
      tag: text,
    }
  }
  return undefined
}

function explainAge(facts: EntryFacts, head: StoredEntry): Explanation {
  const { nowMs } = facts
  const { createdAt, freshForMs, staleForMs, livesForMs } = head
  const endsAt = createdAt + livesForMs
  if (nowMs >= endsAt) return miss('expired', `It expired ${ago(endsAt, nowMs)}.`, endsAt)
  const softened = softenedAt(facts, head)
  if (softened !== undefined) return softened
  const freshUntil = createdAt + freshForMs
  if (nowMs < freshUntil) {
    const words = `${kindOf(head)}, fresh for another ${spanOf(freshUntil - nowMs)}${refreshOf(facts, head)}.`
    return { outcome: 'hit', reason: 'fresh', words, atMs: freshUntil, tag: undefined }
  }
  const isValue = (head.flags & (FLAG.negative | FLAG.error)) === 0
  const staleUntil = createdAt + staleForMs
  if (nowMs < staleUntil && isValue) {
    const words = `Stale since ${when(freshUntil)}: served for another ${spanOf(staleUntil - nowMs)}, and loaded anew behind the reader${refreshOf(facts, head)}.`
    return { outcome: 'stale', reason: 'revalidating', words, atMs: freshUntil, tag: undefined }
  }
  if (!isValue) return miss('expired', `It was fresh until ${when(freshUntil)}.`, freshUntil)
  const words = `Its time to be served ended ${ago(Math.max(freshUntil, staleUntil), nowMs)}: it is loaded anew, and served only where that fails${refreshOf(facts, head)}.`
  return miss('fallback', words, Math.max(freshUntil, staleUntil))
}

/** Evicted softly by its key or by a tag; `undefined` when it was not. */
function softenedAt(facts: EntryFacts, head: StoredEntry): Explanation | undefined {
  const { tags, nowMs, cache, log } = facts
  if ((head.flags & FLAG.stale) !== 0) {
    const last = log.changes.at(-1)
    const at = last === undefined ? undefined : msOf(last)
    const day = at === undefined ? '' : ` ${ago(at, nowMs)}`
    const words = `It was evicted softly${day}: it is loaded anew, and the old value served only where that fails${refreshOf(facts, head)}.`
    return miss('evicted-softly', words, at)
  }
  for (const name of [EVERYTHING, cacheTag(cache), ...head.tags]) {
    const version = tags.versions.get(softTag(name))
    if (version === undefined || version <= head.birth) continue
    const at = msOf(version)
    const tag = head.tags.includes(name) ? tagText(name) : undefined
    const what =
      tag === undefined
        ? name === EVERYTHING
          ? 'The namespace'
          : `The cache ${cache}`
        : `Its tag ${tag}`
    const words = `${what} was evicted softly ${ago(at, nowMs)}: it is loaded anew, and the old value served only where that fails.`
    return { ...miss('evicted-softly', words, at), tag }
  }
  return undefined
}

function refreshOf({ nowMs }: EntryFacts, head: StoredEntry): string {
  const isLoading = head.leaseToken !== 0 && head.leaseDeadline > nowMs
  return isLoading ? '; a new value is being loaded' : ''
}

function kindOf({ flags }: StoredEntry): string {
  if (isMark(flags)) return 'A mark that loads of the key are not shared'
  if ((flags & FLAG.error) !== 0) return 'A remembered error'
  return (flags & FLAG.negative) !== 0 ? 'The source had nothing' : 'A value'
}

function miss(reason: Reason, words: string, atMs?: number): Explanation {
  return { outcome: 'miss', reason, words, atMs, tag: undefined }
}

/** Numbers of the log and versions of the tag clock are microseconds of the server's clock, or a little more. */
export function msOf(version: number): number {
  return Math.floor(version / US_PER_MS)
}

function when(ms: number): string {
  return new Date(ms).toISOString()
}

function ago(ms: number, nowMs: number): string {
  return `${spanOf(Math.max(0, nowMs - ms))} ago, at ${when(ms)}`
}

/** A length of time for people: two units at the most. */
export function spanOf(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ] as const
  const first = units.findIndex(([, length]) => ms >= length)
  if (first < 0) return '0 ms'
  let left = ms
  const parts = units.slice(first, first + 2).flatMap(([unit, length]) => {
    const count = Math.floor(left / length)
    left -= count * length
    return count === 0 ? [] : [`${count} ${unit}`]
  })
  return parts.join(' ')
}
