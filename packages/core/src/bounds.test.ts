/** Nothing grows with the number of keys or names: whatever is filled by what users name ends somewhere. */

import { expect, it } from 'vitest'
import { ChangeMarks } from './cache/change-marks.ts'
import { SettleWindows } from './cache/settle-windows.ts'
import { Doubts } from './coherence/doubts.ts'
import { OwnChanges } from './coherence/own-changes.ts'
import { RecoveryQueue } from './coherence/recovery-queue.ts'
import { TagClock } from './coherence/tag-clock.ts'
import { isRead, noteReader, noteReadingMethod } from './decorators/bound/read-names.ts'
import { DeadlineLengths } from './guard/deadlines.ts'
import { shared, warnOnce } from './lifecycle/shared-state.ts'
import { CacheWords } from './manager/cache-words.ts'
import { UnreadNames } from './manager/unread-names.ts'
import { resolveCachePolicy } from './options/cache-options.ts'
import { StatsRegistry } from './stats/stats.ts'
import { ManualClock } from './testing/manual-clock.ts'

const clock = new ManualClock()
const policy = resolveCachePolicy([{}], 'bounds')
const HOUR_MS = 3_600_000
const silent = { info: () => {}, warn: () => {}, error: () => {} }

interface Filled {
  add(name: string, i: number): void
  size(): number
}

/** What is filled by names and keys, how, and what it may hold at most. */
const FILLED: Readonly<Record<string, [most: number, make: () => Filled]>> = {
  'counters of caches': [
    5_001,
    () => {
      const stats = new StatsRegistry()
      return { add: (name) => void stats.of(name), size: () => stats.size }
    },
  ],
  'counters of methods': [
    5_001,
    () => {
      const stats = new StatsRegistry()
      return { add: (name) => void stats.of('c', name), size: () => stats.size }
    },
  ],
  'settle windows': [
    10_000,
    () => {
      const windows = new SettleWindows(clock)
      return { add: (key) => windows.open(key, HOUR_MS), size: () => windows.size }
    },
  ],
  'changes while a put is under way': [
    10_000,
    () => {
      const marks = new ChangeMarks()
      marks.begin()
      return { add: (key, i) => marks.note(key, i), size: () => marks.size }
    },
  ],
  'changes of one key while a put is under way': [
    10_000,
    () => {
      const marks = new ChangeMarks()
      marks.begin()
      return { add: (_, i) => marks.note('k', i), size: () => marks.size }
    },
  ],
  'what was said of caches': [
    10_000,
    () => {
      const words = new CacheWords(policy, () => {})
      return { add: (name) => words.say(name, policy, name), size: () => words.size }
    },
  ],
  'what was said of caches made by name': [
    10_000,
    () => {
      const words = new CacheWords(policy, () => {})
      return { add: (name) => words.make(name, policy, name), size: () => words.size }
    },
  ],
  'names nobody reads': [
    1_000,
    () => {
      const unread = new UnreadNames('bounds', clock, silent)
      return { add: (name) => unread.watch(name, name), size: () => unread.size }
    },
  ],
  'names of caches that are read': [
    10_000,
    () => ({ add: noteReader, size: () => shared.readNames.size }),
  ],
  'names of methods that read': [
    10_000,
    () => ({ add: noteReadingMethod, size: () => shared.readNames.size }),
  ],
  warnings: [
    1_000,
    () => ({
      add: (name, i) => {
        // The first ones would be printed.
        if (i < 1_000) shared.warned.add(name)
        else warnOnce('BOUNDS', name, name)
      },
      size: () => shared.warned.size,
    }),
  ],
  'lengths of deadlines': [
    1_000,
    () => {
      const lengths = new DeadlineLengths(clock, 'caller')
      return { add: (_, i) => void lengths.of(i + 1), size: () => lengths.size }
    },
  ],
  'evictions of keys that wait': [
    // And a tag for each partition that no longer fits.
    10_064,
    () => {
      const queue = new RecoveryQueue()
      return {
        add: (key, i) => void queue.addKey({ partition: i % 64, key }),
        size: () => queue.size,
      }
    },
  ],
  'evictions of tags that wait': [
    1_000,
    () => {
      const queue = new RecoveryQueue()
      return { add: (tag) => void queue.addTags([tag]), size: () => queue.size }
    },
  ],
  'own changes of a partition': [
    512,
    () => {
      const own = new OwnChanges()
      const change = { at: 0, history: 0, doneAt: 0, isSoft: false }
      return {
        add: (key, i) => own.note({ partition: 0, key }, { ...change, seq: i }),
        size: () => own.of(0, 0).changes.length,
      }
    },
  ],
  'tags that were invalidated': [
    100_000,
    () => {
      const tags = new TagClock(() => {})
      return { add: (tag) => tags.invalidateHere([tag]), size: () => tags.size }
    },
  ],
  'tags in doubt': [
    1_000,
    () => {
      const doubts = new Doubts()
      return {
        add: (tag) =>
          void doubts.note({ kind: 'doubt', keys: [], tags: [tag], isRepeated: false }, 0),
        size: () => doubts.tagsAt(0).length,
      }
    },
  ],
  'keys in doubt': [
    10_000,
    () => {
      const doubts = new Doubts()
      const names: string[] = []
      return {
        add: (key) => {
          names.push(key)
          doubts.note({ kind: 'doubt', keys: [key], tags: [], isRepeated: false }, 0)
        },
        size: () => names.filter((key) => doubts.hasKey(key, 0)).length,
      }
    },
  ],
}

it.each(Object.entries(FILLED))('%s', (_, [most, make]) => {
  const filled = make()
  const count = most + Math.ceil(most / 5)
  let highest = 0
  for (let i = 0; i < count; i++) {
    filled.add(`n${i}`, i)
    // Counting some of them is slow.
    if (i % 1_009 === 0) highest = Math.max(highest, filled.size())
  }
  expect(Math.max(highest, filled.size())).toBeLessThanOrEqual(most)
  expect(filled.size()).toBeGreaterThan(0)
})

it('past its bound, every name counts as read, so that none is warned about wrongly', () => {
  expect(isRead('never heard of')).toBe(true)
})

it('past their bound, settle windows hold for all keys, as long as the longest of them', () => {
  const windows = new SettleWindows(clock, 4)
  for (const [i, key] of ['a', 'b', 'c', 'd', 'e'].entries()) windows.open(key, 1_000 * (i + 1))
  const end = (ms: number): number => clock.now() + ms
  expect(windows.endOf('a')).toBeGreaterThanOrEqual(end(1_000))
  expect(windows.endOf('unknown')).toBeGreaterThanOrEqual(end(1_000))
  expect(windows.endOf('unknown')).toBeLessThanOrEqual(end(5_000))
  expect(windows.endOf('e')).toBe(end(5_000))
})
