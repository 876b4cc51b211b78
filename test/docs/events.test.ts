/** The page of events is the type of events; the guide's tables are what `stats()` and `status()` return. */

import { type CacheEventName, type CacheEvents, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { expect, it } from 'vitest'
import { codeIn, GUIDES, readPage, rowsOf, sectionOf } from './pages.ts'

const GUIDE = 'docs/guides/events-and-statistics.md'

type FieldsOf<Name extends CacheEventName> = Readonly<Record<keyof CacheEvents[Name], true>>

const KEY = { cache: true, key: true } as const
const VALUE = { ...KEY, value: true } as const

/** Complete by its type: an event or a field that is added, renamed or removed does not compile here. */
const FIELDS: { readonly [Name in CacheEventName]: FieldsOf<Name> } = {
  hit: { ...VALUE, tier: true, negative: true },
  miss: KEY,
  stale: { ...VALUE, why: true },
  load: { ...VALUE, durationMs: true, outcome: true, reason: true },
  put: { ...VALUE, outcome: true },
  'fill-refused': KEY,
  undecodable: { ...KEY, reason: true },
  'callback-error': { ...KEY, option: true, error: true },
  'too-large': { ...KEY, bytes: true, maxBytes: true },
  drop: KEY,
  evict: { cache: true, keys: true, tags: true, all: true, outcome: true },
  invalidated: { keys: true, tags: true },
  'recovery-queue': { waiting: true, escalated: true },
  outage: {
    state: true,
    kind: true,
    reason: true,
    forMs: true,
    failedCalls: true,
    skippedCalls: true,
    wasNeverUp: true,
  },
  trouble: { error: true },
  'store-error': { operation: true, error: true, skipped: true },
  breaker: { state: true },
  'limit-breaker': { state: true, provider: true },
  bus: { state: true, reason: true },
  'bus-gap': { partition: true, recovered: true, cause: true },
  coherence: { state: true },
  lock: { key: true, outcome: true, ms: true, source: true },
  limit: {
    limiter: true,
    key: true,
    allowed: true,
    withinLimit: true,
    policy: true,
    source: true,
    waitMs: true,
  },
  'background-error': { task: true, error: true },
}

it('the page of events lists every event with its fields', () => {
  const listed = rowsOf(readPage('docs/reference/events.md')).map(([event, fields]) => [
    codeIn(event)[0],
    [...codeIn(fields)].sort(),
  ])
  const known = Object.entries(FIELDS).map(([event, fields]) => [event, Object.keys(fields).sort()])
  expect(listed.sort()).toEqual(known.sort())
})

it('every word that a field may hold is explained', () => {
  const page = readPage('docs/reference/events.md')
  // Unions of words in the type, read from its source: types leave nothing to ask at run time.
  const source = readPage('packages/core/src/events/events.ts')
  const words = new Set(Array.from(source.matchAll(/'([a-z-]+)'/g), ([, word = '']) => word))
  const elsewhere = ['remote', 'known', 'local', 'open', 'off', 'tags', 'none']
  for (const word of words)
    if (!elsewhere.includes(word)) expect(page, word).toContain(`\`${word}\``)
})

it('the guide explains each field of stats()', async () => {
  await using caches = createCacheManager({ namespace: 'docs', local: lruStore() })
  const { byCache, byMethod, localEntries, localBytes, ...read } = caches.stats()
  const ofManager = Object.keys({ byCache, byMethod, localEntries, localBytes })
  const listed = rowsOf(sectionOf(GUIDE, '## Is it worth it? `stats()`')).flatMap(([names]) =>
    codeIn(names),
  )
  expect(listed).toEqual([...Object.keys(read), ...Object.keys(read.loadLatency), ...ofManager])
})

it('operation explains each field of status()', async () => {
  await using caches = createCacheManager({ namespace: 'docs', local: lruStore() })
  const section = sectionOf('docs/guides/operations.md', '## What is said, and where')
  const listed = rowsOf(section).flatMap(([names]) => codeIn(names))
  expect(['namespace', ...listed].sort()).toEqual(Object.keys(caches.status()).sort())
})

it('the events that guides listen to exist', () => {
  for (const page of [...GUIDES, 'README.md'])
    for (const [, name = ''] of readPage(page).matchAll(/caches\.on\('([\w-]+)'/g))
      expect(Object.keys(FIELDS), page).toContain(name)
})
