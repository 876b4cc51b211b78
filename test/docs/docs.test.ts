/** Pages that list what the code has, in step with it. */

import { CacheManager, createCacheManager } from '@larder/core'
import { HEADER_BYTES } from '@larder/core/store'
import * as testKit from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { expect, it } from 'vitest'
import {
  CACHE_DEFAULTS,
  CACHE_OPTION_NAMES,
} from '../../packages/core/src/options/cache-options.ts'
import { fieldsOf } from '../../tools/reference/interfaces.mjs'
import { ALL_PAGES, codeIn, readPage, rowsOf, sectionOf } from './pages.ts'

it('the policies page lists the options, with their defaults', () => {
  const rows = Array.from(
    readPage('docs/guides/policies.md').matchAll(/^\| (`.*?) \|.*\| (.*?) \|$/gm),
  )
  const listed = new Map(
    rows.flatMap(([, names, value]) =>
      Array.from(
        (names ?? '').matchAll(/`(\w+)`/g),
        ([, name]) => [name ?? '', value ?? ''] as const,
      ),
    ),
  )
  expect([...listed.keys()].sort()).toEqual([...CACHE_OPTION_NAMES].sort())
  for (const [name, value] of Object.entries(CACHE_DEFAULTS)) {
    expect(listed.get(name)?.replace(/[`']/g, ''), name).toBe(String(value))
  }
})

it("the README's commands exist", () => {
  const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> }
  for (const [, command] of readPage('README.md').matchAll(/npm run ([\w:]+)/g)) {
    expect(scripts).toHaveProperty([command ?? ''])
  }
  expect(scripts).toHaveProperty('test')
})

it('operation says how large the header of an entry is', () => {
  expect(readPage('docs/guides/operations.md')).toContain(`a header of ${HEADER_BYTES} bytes`)
})

it('the guide to the manager lists its options and its members', async () => {
  const page = 'docs/guides/managers.md'
  const options = rowsOf(sectionOf(page, '## Options')).map(([name]) => codeIn(name)[0])
  const source = readPage('packages/core/src/manager/manager-options.ts')
  expect(options).toEqual(fieldsOf(source, 'CacheManagerOptions').map(({ name }) => name))
  await using caches = createCacheManager({ namespace: 'docs', default: false, local: lruStore() })
  const members = rowsOf(sectionOf(page, '## What it has')).flatMap(([names]) =>
    codeIn(names).map((call) => call.replace(/\(.*/, '')),
  )
  const { constructor: _, ...descriptors } = Object.getOwnPropertyDescriptors(
    CacheManager.prototype,
  )
  expect(members.sort()).toEqual([...Object.keys(descriptors), ...Object.keys(caches)].sort())
})

it('the index leads to every page', () => {
  const index = readPage('docs/README.md')
  const pages = ALL_PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md')
  expect(pages.length).toBeGreaterThan(25)
  for (const page of pages) expect(index).toContain(`](${page.replace('docs/', '')})`)
})

it('the guide to testing lists what the test kit exports', () => {
  const section = sectionOf('docs/guides/testing.md', '## What is in `@larder/core/testing`')
  const listed = rowsOf(section).flatMap(([names]) => codeIn(names))
  expect(listed.sort()).toEqual(Object.keys(testKit).sort())
})
