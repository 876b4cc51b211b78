/** Pages that list what the code has, in step with it. */

import { expect, it } from 'vitest'
import {
  CACHE_DEFAULTS,
  CACHE_OPTION_NAMES,
} from '../../packages/core/src/options/cache-options.ts'
import { readPage } from './pages.ts'

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
