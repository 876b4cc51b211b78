/** The page of events is the type of events; the guide's tables are what `stats()` and `status()` return. */

import { CACHE_EVENTS, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { expect, it } from 'vitest'
import { codeIn, GUIDES, readPage, rowsOf, sectionOf } from './pages.ts'

const GUIDE = 'docs/guides/events-and-statistics.md'

it('the page of events lists every event with its fields', () => {
  const listed = rowsOf(readPage('docs/reference/events.md')).map(([event, fields]) => [
    codeIn(event)[0],
    [...codeIn(fields)].sort(),
  ])
  const known = Object.entries(CACHE_EVENTS).map(([event, { fields }]) => [
    event,
    Object.keys(fields).sort(),
  ])
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
  const { byCache, byMethod, localEntries, localBytes, staleness, ...read } = caches.stats()
  const ofManager = Object.keys({ byCache, byMethod, localEntries, localBytes, staleness })
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
      expect(Object.keys(CACHE_EVENTS), page).toContain(name)
})
