/** The tables of the migration guide name what exists: on the left in the other package, on the right in ours. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeIn, ROOT, rowsOf, sectionOf } from './pages.ts'

const PAGE = 'docs/guides/migrating.md'
/** The benchmarks install the others. */
const PEERS = join(ROOT, 'bench', 'node_modules')

const OTHERS = [
  { heading: '## From cache-manager', packages: ['cache-manager'] },
  { heading: '## From bentocache', packages: ['bentocache'] },
  {
    heading: '## From @type-cacheable',
    packages: ['@type-cacheable/core', '@type-cacheable/lru-cache-adapter'],
  },
] as const

const ours = declarationsIn(join(ROOT, 'packages'), /(?<!\.test)\.ts$/)

describe.each(OTHERS)('$heading', ({ heading, packages }) => {
  const theirs = packages
    .map((name) => declarationsIn(join(PEERS, name), /\.d\.[mc]?ts$/))
    .join('\n')
  const rows = rowsOf(sectionOf(PAGE, heading))

  it('has rows, and the other package is there', () => {
    expect(rows.length).toBeGreaterThan(10)
    expect(theirs.length).toBeGreaterThan(1_000)
  })

  it.each(rows.map(([left = '', right = '']) => ({ left, right })))('$left', ({ left, right }) => {
    for (const name of namesIn(left)) expect(declares(theirs, name), `${name} of theirs`).toBe(true)
    for (const name of namesIn(right)) expect(declares(ours, name), `${name} of ours`).toBe(true)
  })
})

/** What the code of a cell calls or sets: methods, functions, decorators, options. */
function namesIn(cell: string): readonly string[] {
  return codeIn(cell).flatMap((code) => {
    const called = [...code.matchAll(/(?:^|[.@\s])(\w+)\(/g)].map(([, name]) => name ?? '')
    const set = [...code.matchAll(/(?<=[{,]\s?|^)(\w+):/g)].map(([, name]) => name ?? '')
    const alone = /^\w+$/.test(code) ? [code] : []
    return [...called, ...set, ...alone].filter((name) => !OF_THE_EXAMPLE.has(name))
  })
}

/** Names of the examples' own, and of the language. */
const OF_THE_EXAMPLE = new Set([
  'null',
  'undefined',
  'async',
  'load',
  'multi',
  'map',
  'stale',
  'get',
  'evict',
])

function declares(source: string, name: string): boolean {
  return new RegExp(`\\b${name}\\??[:(<]|\\b(const|function) ${name}\\b`).test(source)
}

function declarationsIn(folder: string, file: RegExp): string {
  return readdirSync(folder)
    .filter((name) => name !== 'node_modules')
    .map((name) => join(folder, name))
    .map((path) => {
      if (statSync(path).isDirectory()) return declarationsIn(path, file)
      return file.test(path) ? readFileSync(path, 'utf8') : ''
    })
    .join('\n')
}
