/** The page of error codes says what the table of error codes says. */

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ERROR_CODES } from './codes.ts'

const page = readFileSync(
  new URL('../../../../docs/reference/errors.md', import.meta.url),
  'utf8',
).replaceAll(/<a id="\w+"><\/a>/g, '')

it('docs/reference/errors.md has a row for every code, and no other, in the same words', () => {
  const rows = [...page.matchAll(/^\| `(LARDER_\w+)` \| `\w+` \| (.+) \| (.+) \|$/gm)]
  const documented = Object.fromEntries(
    rows.map(([, code, meaning, remedy]) => [code, { meaning, remedy }]),
  )
  expect(documented).toEqual(ERROR_CODES)
})

it('docs/reference/errors.md names no code that does not exist', () => {
  const named = new Set(page.match(/LARDER_\w+/g))
  expect([...named].filter((code) => !(code in ERROR_CODES))).toEqual([])
})
