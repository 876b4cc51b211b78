/** What a source file exports has a reader: another file of the repository, or those who import the package. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const EXPORT =
  /^export (?:abstract |async )*(const|let|function\*?|class|interface|type) ([A-Za-z_$][\w$]*)/gm
const WORD = /[A-Za-z_$][\w$]*/g

const FOLDERS = ['packages', 'test', 'tools', 'bench', 'examples']
const MADE = new Set(['node_modules', 'dist'])

/** The source files of a folder of the repository. */
function sourcesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return MADE.has(entry.name) ? [] : sourcesIn(path)
    return /\.m?[jt]s$/.test(entry.name) ? [path] : []
  })
}

const texts = new Map(
  FOLDERS.flatMap(sourcesIn).map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]),
)

/** In how many files a word is: a name that is also a common word passes unseen. */
const spread = new Map<string, number>()
for (const text of texts.values())
  for (const word of new Set(text.match(WORD))) spread.set(word, (spread.get(word) ?? 0) + 1)

it('has a reader outside of its file, or is a type that its own file needs', () => {
  const unread = Array.from(texts).flatMap(([file, text]) =>
    /^packages\/[^/]+\/src\//.test(file)
      ? Array.from(text.matchAll(EXPORT), ([, kind = '', name = '']) => ({ kind, name }))
          .filter(({ name }) => spread.get(name) === 1)
          // A type that a signature names is exported with it.
          .filter(({ kind, name }) => !isType(kind) || timesIn(text, name) === 1)
          .map(({ name }) => `${file}: ${name}`)
      : [],
  )
  expect(unread).toEqual([])
})

function isType(kind: string): boolean {
  return kind === 'interface' || kind === 'type'
}

function timesIn(text: string, name: string): number {
  return (text.match(WORD) ?? []).filter((word) => word === name).length
}
