import {
  decodeEntry,
  emptyHeader,
  encodeEntry,
  FLAG,
  setLease,
  stampCreation,
} from '@larder/core/store'
import { describe, expect, it } from 'vitest'
import type { EntryFacts, StoredForm } from './entry-facts.ts'
import { explainEntry, spanOf } from './explain.ts'

const NOW = 1_700_000_000_000
const US = 1_000
const BIRTH = (NOW - 60_000) * US

interface Entry {
  readonly flags?: number
  readonly ageMs?: number
  readonly lease?: number
  readonly birth?: number
}

function stored({ flags = 0, ageMs = 1_000, lease = 0, birth = BIRTH }: Entry = {}): StoredForm {
  const bytes = encodeEntry({
    ...{ flags, commit: 1, birth, freshForMs: 10_000, staleForMs: 20_000, livesForMs: 30_000 },
    ...{ loadMs: 5, schema: 0, steps: [], tags: ['t'], payload: Buffer.from('x') },
  })
  stampCreation(bytes, NOW - ageMs)
  if (lease > 0) setLease(bytes, NOW + lease, 7)
  const head = decodeEntry(bytes)
  if (head === undefined) throw new Error('not an entry')
  return { kind: 'entry', head, bytes: bytes.length, leftMs: 30_000 }
}

function facts(form: StoredForm, more: Partial<EntryFacts> = {}): EntryFacts {
  return {
    ...{ key: 'c:k', cache: 'c', partition: 7, nowMs: NOW, stored: form },
    tags: { clock: { version: BIRTH, floor: BIRTH - 1 }, versions: new Map() },
    log: { head: { seq: BIRTH, floor: BIRTH }, changes: [] },
    ...more,
  }
}

const at = (name: string, agoMs = 500): Partial<EntryFacts> => ({
  tags: {
    clock: { version: Math.max(BIRTH, (NOW - agoMs) * US), floor: BIRTH - 1 },
    versions: new Map([[name, (NOW - agoMs) * US]]),
  },
})

const empty = decodeEntry(emptyHeader(FLAG.empty))

describe('a read now', () => {
  it.each<[string, string, EntryFacts]>([
    ['hit fresh', 'within its time', facts(stored())],
    ['hit fresh', 'of nothing', facts(stored({ flags: FLAG.negative }))],
    ['hit fresh', 'of what has a lease for a refresh', facts(stored({ lease: 500 }))],
    ['stale revalidating', 'past its time', facts(stored({ ageMs: 15_000 }))],
    ['miss fallback', 'past its use', facts(stored({ ageMs: 25_000 }))],
    ['miss expired', 'past everything', facts(stored({ ageMs: 35_000 }))],
    ['miss expired', 'of an old nothing', facts(stored({ flags: FLAG.negative, ageMs: 15_000 }))],
    ['miss evicted-softly', 'of a key', facts(stored({ flags: FLAG.stale }))],
    ['miss evicted-softly', 'of a tag', facts(stored(), at('\\~t'))],
    ['miss evicted-softly', 'of its cache', facts(stored(), at('\\~@c'))],
    ['miss tag-evicted', 'of its tag', facts(stored(), at('t'))],
    ['miss cache-cleared', 'of its cache', facts(stored(), at('@c'))],
    ['miss namespace-cleared', 'of everything', facts(stored(), at('*'))],
    ['miss partition-evicted', 'of its partition', facts(stored(), at('%7'))],
    ['hit fresh', 'of a tag before its birth', facts(stored(), at('t', 70_000))],
    ['miss below-floor', 'of what is too old to judge', facts(stored({ birth: BIRTH - 2 }))],
    ['miss history-lost', 'of what was born in the future', facts(stored({ birth: BIRTH + 1 }))],
    ['miss absent', 'of nothing at all', facts({ kind: 'absent' })],
    ['miss foreign', 'of something else', facts({ kind: 'foreign' })],
  ])('%s: %s', (expected, _, given) => {
    const { outcome, reason, words } = explainEntry(given)
    expect(`${outcome} ${reason}`).toBe(expected)
    expect(words).toMatch(/^[A-Z].*\.$/s)
  })

  it('names the tag, and when it was evicted', () => {
    const explanation = explainEntry(facts(stored(), at('t')))
    expect(explanation).toMatchObject({ tag: 't', atMs: NOW - 500 })
    expect(explanation.words).toContain('500 ms ago')
  })

  it('waits for a load, unless its lease is over', () => {
    if (empty === undefined) throw new Error('not an entry')
    const form = (deadline: number): StoredForm => ({
      ...{ kind: 'entry', bytes: 60, leftMs: 1 },
      head: { ...empty, leaseToken: 7, leaseDeadline: deadline },
    })
    expect(explainEntry(facts(form(NOW + 100)))).toMatchObject({ reason: 'being-loaded' })
    expect(explainEntry(facts(form(NOW - 100)))).toMatchObject({ reason: 'load-given-up' })
  })
})

describe('a length of time', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_500, '1 s 500 ms'],
    [60_000, '1 min'],
    [90_061_000, '1 d 1 h'],
  ])('%i ms is %s', (ms, text) => expect(spanOf(ms)).toBe(text))
})
