import { describe, expect, it } from 'vitest'
import type { Knowledge } from '../coherence/knowledge.ts'
import { softTag } from '../coherence/soft-tags.ts'
import { TagClock } from '../coherence/tag-clock.ts'
import { type EntryKind, LocalEntry } from '../entry/local-entry.ts'
import type { Stamp } from '../entry/stamp.ts'
import { judge } from './judge.ts'
import type { ReadCall } from './read-call.ts'

const MAX_STALENESS_MS = 100
const LONG_AGO = -1_000_000
const stamp: Stamp = { partition: 7, birth: 5, known: 5, seq: 1, generation: 1, changes: 1 }
// The parts that a verdict rests on.
const call = { cacheTag: '@c', policy: { maxStalenessMs: MAX_STALENESS_MS } } as ReadCall

interface Standing {
  readonly kind?: EntryKind
  readonly tags?: readonly string[]
  /** When the entry itself was last known good. */
  readonly goodAt?: number
  /** When its partition was. */
  readonly verifiedAt?: number
  readonly isLevel?: boolean
  /** The change counter after the machine last slept. */
  readonly trustedSince?: number
}

/** An entry that is calm until 10, fresh until 20, stale until 40 and lives until 50, and a node that judges it. */
function judged({
  kind = 'value',
  tags = ['t'],
  goodAt = LONG_AGO,
  verifiedAt = 0,
  isLevel = true,
  trustedSince = 0,
}: Standing = {}) {
  const entry = new LocalEntry(kind, tags, stamp, stamp.birth, 0, goodAt)
  entry.live(10, 20, 40, 50)
  let changes = 1
  const clock = new TagClock(() => {
    changes += 1
  })
  const knowledge = {
    tags: clock,
    get changes() {
      return changes
    },
    isLevel: () => isLevel,
    trustedSince,
    verifiedAt: (partition: number) => (partition === stamp.partition ? verifiedAt : LONG_AGO),
  }
  const at = (now: number) => judge(entry, call, knowledge as unknown as Knowledge, now)
  const invalidate = (tag: string) =>
    clock.applyBump([tag], { previous: clock.confirmed, version: clock.confirmed + 10, floor: 0 })
  return { entry, at, invalidate, knowledge }
}

describe('age', () => {
  it('is calm, early, stale and a fallback in turn, each up to its end', () => {
    const { at } = judged()
    expect([9, 10, 19, 20, 39, 40, 49, 50].map(at)).toEqual([
      'fresh',
      'early',
      'early',
      'stale',
      'stale',
      'fallback',
      'fallback',
      'gone',
    ])
  })

  it('is let be for a while after a failed refresh', () => {
    const { at, entry } = judged()
    entry.quiet = { until: 30, birth: 0 }
    expect([19, 20, 29, 30].map(at)).toEqual(['early', 'backing-off', 'backing-off', 'stale'])
  })
})

describe('trust', () => {
  it("rests on the partition's word within maxStaleness", () => {
    expect(judged({ verifiedAt: 5 - MAX_STALENESS_MS + 1 }).at(5)).toBe('fresh')
    expect(judged({ verifiedAt: 5 - MAX_STALENESS_MS }).at(5)).toBe('unverified')
  })

  it('does not rest on it when the history has broken since', () => {
    expect(judged({ isLevel: false }).at(5)).toBe('unverified')
  })

  it("rests on the entry's own as well, whatever is known of the partition", () => {
    const goodAt = 5 - MAX_STALENESS_MS
    for (const standing of [{ isLevel: false }, { verifiedAt: LONG_AGO }]) {
      expect(judged({ ...standing, goodAt: goodAt + 1 }).at(5)).toBe('fresh')
      expect(judged({ ...standing, goodAt }).at(5)).toBe('unverified')
    }
  })
})

it('does not rest on what was known before the machine slept', () => {
  const own = { isLevel: false, goodAt: 5 }
  expect(judged({ ...own, trustedSince: stamp.changes }).at(5)).toBe('fresh')
  expect(judged({ ...own, trustedSince: stamp.changes + 1 }).at(5)).toBe('unverified')
})

describe('an invalidation', () => {
  it.each(['t', '@c', '%7', '*'])('of %s ends it', (tag) => {
    const { at, invalidate } = judged()
    expect(at(5)).toBe('fresh')
    invalidate(tag)
    expect([at(5), at(5)]).toEqual(['gone', 'gone'])
  })

  it.each(['u', '@d', '%8'])('of %s does not concern it', (tag) => {
    const { at, invalidate } = judged()
    invalidate(tag)
    expect(at(5)).toBe('fresh')
  })
})

describe('a soft eviction', () => {
  it.each(['t', '@c', '*'])('of %s leaves it for when loads fail', (tag) => {
    const { at, invalidate } = judged()
    expect(at(5)).toBe('fresh')
    invalidate(softTag(tag))
    expect([at(5), at(5), at(49), at(50)]).toEqual(['fallback', 'fallback', 'fallback', 'gone'])
  })

  it.each(['u', '@d'])('of %s does not concern it', (tag) => {
    const { at, invalidate } = judged()
    invalidate(softTag(tag))
    expect(at(5)).toBe('fresh')
  })

  it.each([
    ['t', softTag('t')],
    [softTag('t'), 't'],
  ])('of what is evicted both ways ends it: %s, %s', (...both) => {
    const { at, invalidate } = judged()
    for (const tag of both) invalidate(tag)
    expect(at(5)).toBe('gone')
  })

  it('ends what a failed load said about trying again, unless the load knew of it', () => {
    const { at, entry, invalidate, knowledge } = judged()
    entry.backOff(0, 30, stamp.birth)
    invalidate(softTag('t'))
    expect(at(5)).toBe('fallback')
    entry.backOff(5, 30, knowledge.tags.now)
    expect([at(6), at(34), at(35)]).toEqual(['backing-off', 'backing-off', 'fallback'])
    entry.backOff(35, 10, knowledge.tags.now)
    invalidate('u')
    expect(at(40)).toBe('backing-off')
    invalidate(softTag('t'))
    expect(at(40)).toBe('fallback')
  })

  it('does not let a failure that knew of it make the value servable once more', () => {
    const { at, entry, invalidate, knowledge } = judged()
    invalidate(softTag('t'))
    entry.backOff(5, 10, knowledge.tags.now)
    expect([at(6), at(16)]).toEqual(['backing-off', 'fallback'])
  })
})

describe('what was found valid', () => {
  it('is remembered until something changes', () => {
    const { at, entry, knowledge, invalidate } = judged()
    at(5)
    expect(entry.checked).toBe(knowledge.changes)
    invalidate('u')
    expect(entry.checked).not.toBe(knowledge.changes)
    at(5)
    expect(entry.checked).toBe(knowledge.changes)
  })

  it.each([
    ['an error', { kind: 'error' }],
    ['a negative entry', { kind: 'negative' }],
    ['an entry of a broken history', { isLevel: false, goodAt: 0 }],
  ] as const)('of %s is found out every time', (_, standing) => {
    const { at, entry, knowledge } = judged(standing)
    expect(at(5)).toBe('fresh')
    expect(entry.checked).not.toBe(knowledge.changes)
  })
})
