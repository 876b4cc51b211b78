/** The pages of the documentation, and how their parts are found. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8')
}

const pagesIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file}`)

export const GUIDES = pagesIn('docs/guides')
export const REFERENCES = pagesIn('docs/reference')
export const PACKAGE_PAGES = readdirSync(join(ROOT, 'packages'))
  .filter((name) => !name.startsWith('.'))
  .map((name) => `packages/${name}/README.md`)
/** Everything a reader may land on. */
export const ALL_PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'docs/README.md',
  ...GUIDES,
  ...REFERENCES,
  ...PACKAGE_PAGES,
  ...pagesIn('docs/design'),
  ...pagesIn('docs').filter((page) => page !== 'docs/README.md'),
]

/** The code of a page's blocks in a language, in order. */
export function blocksOf(page: string, language: string): readonly string[] {
  const fences = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms')
  return Array.from(readPage(page).matchAll(fences), ([, code]) => code ?? '')
}

/** What stands under a heading, up to the next one of its level or above. */
export function sectionOf(page: string, heading: string): string {
  const text = readPage(page)
  const start = text.indexOf(`${heading}\n`)
  if (start < 0) throw new Error(`${page} has no heading ${heading}`)
  const level = /^#+/.exec(heading)?.[0].length ?? 1
  const body = text.slice(start + heading.length)
  const end = body.search(new RegExp(`^#{1,${level}} `, 'm'))
  return end < 0 ? body : body.slice(0, end)
}

/** The rows of the tables in a text, as trimmed cells; without headers. */
export function rowsOf(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .replaceAll('\\|', '\u0000')
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.replaceAll('\u0000', '|').trim()),
    )
    .filter((_, i, all) => !isRule(all[i]) && !isRule(all[i + 1]))
}

function isRule(cells: readonly string[] | undefined): boolean {
  return cells?.every((cell) => /^:?-+:?$/.test(cell)) ?? false
}

/** What a cell says in code: the names in its backticks. */
export function codeIn(cell = ''): readonly string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, code]) => code ?? '')
}
