/** ARCHITECTURE names files that exist, and the floors as they are. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FLOORS } from '../../tools/house/floors.mjs'
import { blocksOf, codeIn, ROOT, readPage, rowsOf, sectionOf } from './pages.ts'

const PAGE = 'ARCHITECTURE.md'
/** In pictures and lists, files of core are named from its sources on. */
const CORE = 'packages/core/src'

const existing = (path: string): boolean =>
  existsSync(join(ROOT, path)) || existsSync(join(ROOT, CORE, path))

it('every file and folder that it names exists', () => {
  const inPictures = blocksOf(PAGE, 'mermaid').flatMap((picture) =>
    Array.from(picture.matchAll(/\["([\w/.-]+\.\w+)/g), ([, path = '']) => path),
  )
  expect(inPictures.length).toBeGreaterThan(40)
  const inText = codeIn(readPage(PAGE).replace(/^```.*?^```/gms, '')).filter(
    (code) => /^[\w.-]+\/[\w/.-]+$/.test(code) && !code.startsWith('@'),
  )
  expect(inText.length).toBeGreaterThan(15)
  expect([...inPictures, ...inText].filter((path) => !existing(path))).toEqual([])
})

it('the floors are those of the code, from the ground up', () => {
  const rows = rowsOf(sectionOf(PAGE, '## Floors of core'))
  expect(rows.map(([floor]) => codeIn(floor)[0])).toEqual([...FLOORS])
})

it('each box of a picture stands in it once by its name', () => {
  for (const picture of blocksOf(PAGE, 'mermaid')) {
    const named = Array.from(picture.matchAll(/\b(\w+)\[/g), ([, name = '']) => name)
    expect(named).toEqual([...new Set(named)])
    for (const [, from = '', to = ''] of picture.matchAll(/^ {2}(\w+)\b.*?-->(?:.*> )? ?(\w+)/gm))
      for (const name of [from, to]) expect([...named, 'examples'], picture).toContain(name)
  }
})
