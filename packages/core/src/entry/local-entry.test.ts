import { describe, expect, it } from 'vitest'
import { type EntryKind, LocalEntry } from './local-entry.ts'
import type { Stamp } from './stamp.ts'

const STAMP: Stamp = { partition: 1, birth: 5, known: 5, seq: 1, generation: 1, changes: 1 }

function entryOf(kind: EntryKind = 'value'): LocalEntry {
  return new LocalEntry(kind, [], STAMP, 5, 0, 100.7)
}

const timesOf = ({ calmUntil, freshUntil, staleUntil, livesUntil }: LocalEntry) => [
  calmUntil,
  freshUntil,
  staleUntil,
  livesUntil,
]

describe('the times of a local entry', () => {
  it('are whole milliseconds, rounded down', () => {
    const entry = entryOf()
    entry.live(1.9, 2.9, 3.9, 4.9)
    expect([...timesOf(entry), entry.verifiedAt]).toEqual([1, 2, 3, 4, 100])
  })

  it.each<EntryKind>(['value', 'negative', 'error'])('are its own, as its kind %s is', (kind) => {
    const entries = Array.from({ length: 200 }, (_, i) => {
      const entry = entryOf(kind)
      entry.live(i, 2 * i, 3 * i, 5 * i)
      return entry
    })
    const others = (['value', 'negative', 'error'] as const).map(entryOf)
    for (const other of others) other.live(7, 14, 21, 35)
    for (const [i, entry] of entries.entries()) {
      expect(timesOf(entry)).toEqual([i, 2 * i, 3 * i, 5 * i])
      expect(entry.kind).toBe(kind)
    }
  })

  it('may be further away than a small number', () => {
    const entry = entryOf()
    entry.live(1, 2 ** 32, 2 ** 33, 2 ** 34)
    expect(timesOf(entry)).toEqual([1, 2 ** 32, 2 ** 33, 2 ** 34])
  })

  it('end by a moment, those before it as they are', () => {
    const entry = entryOf()
    entry.live(10, 20, 30, 40)
    entry.endBy(25.5)
    expect(timesOf(entry)).toEqual([10, 20, 25, 25])
  })

  it('are no longer fresh after a failed load, and otherwise the same', () => {
    const entry = entryOf()
    entry.live(10, 20, 30, 40)
    entry.backOff(15.5, 100, 6)
    expect(timesOf(entry)).toEqual([10, 15, 30, 40])
    expect(entry.quiet).toEqual({ until: 115, birth: 6 })
  })

  it('leave a softened value its fallback, and nothing else theirs', () => {
    const kinds = (['value', 'negative', 'error'] as const).map((kind) => {
      const entry = entryOf(kind)
      entry.live(10, 20, 30, 40)
      entry.soften()
      return timesOf(entry)
    })
    expect(kinds).toEqual([
      [0, 0, 0, 40],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ])
  })
})
