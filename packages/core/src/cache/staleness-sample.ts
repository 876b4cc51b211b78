/**
 * What is compared with the store after a local hit, as it was at that moment.
 *
 * Everything that this node knew at the hit was taken into account by the hit: an entry that a known change concerns is gone,
 * or is not trusted. So the store is only asked for what came after it: changes of the partition after the number that this
 * node stood at, and tags above the clock that it had confirmed. That is little, however old the entry is.
 */

import { softTag } from '../coherence/soft-tags.ts'
import { EVERYTHING, partitionTag } from '../coherence/tag-clock.ts'
import type { EntryAddress } from '../contracts/remote-store.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import type { CacheNode } from './node.ts'

/** A cache whose hits are measured. */
export interface MeasuredCache {
  readonly cache: string
  readonly cacheTag: string
  readonly maxStalenessMs: number
}

export interface StalenessSample extends MeasuredCache {
  /** When it was served, monotonic ms. */
  readonly at: number
  readonly address: EntryAddress
  /** Of the entry: see `LocalEntry`. */
  readonly commit: number
  readonly birth: number
  readonly createdAt: number
  readonly livesUntil: number
  /** The names under which the tag clock has what the entry carries, evicted softly or not. */
  readonly names: readonly string[]
  /** The number of the partition up to which changes were known; 0 when none was. */
  readonly seq: number
  /** The tag clock up to which tags were known. */
  readonly tagsAt: number
}

/** Takes a sample of a hit that was served this moment. */
export function sampleOf(
  { knowledge, clock }: Pick<CacheNode, 'knowledge' | 'clock'>,
  address: EntryAddress,
  entry: LocalEntry,
  measured: MeasuredCache,
): StalenessSample {
  const { stamp, tags } = entry
  const names = [...tags, measured.cacheTag, EVERYTHING, partitionTag(address.partition)]
  return {
    ...measured,
    at: clock.now(),
    address,
    commit: entry.commit,
    birth: entry.birth,
    createdAt: entry.createdAt,
    livesUntil: entry.livesUntil,
    names: [...names, ...names.map(softTag)],
    // In a history begun anew, changes before the present number are not known one by one.
    seq: knowledge.isLevel(stamp) ? knowledge.partition(address.partition).seq : stamp.seq,
    tagsAt: knowledge.tags.confirmed,
  }
}
