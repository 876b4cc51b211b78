/** Links between pages lead to pages and headings that exist. */

import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { ALL_PAGES, ROOT, readPage } from './pages.ts'

const ON_THE_FORGE = /^https:\/\/github\.com\/larder-cache\/larder\/(blob|tree)\/main\//

const pages = ALL_PAGES.filter((page) => existsSync(join(ROOT, page)))

it.each(pages)('links of %s lead somewhere', (page) => {
  const targets = Array.from(readPage(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) =>
    target.replace(ON_THE_FORGE, fromRoot(page)),
  ).filter((target) => !/^(https?|mailto):/.test(target))
  for (const target of targets) {
    const [path = '', anchor] = target.split('#')
    const at = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path))
    expect(existsSync(join(ROOT, at)), `${page} → ${target}`).toBe(true)
    if (anchor !== undefined) expect(anchorsOf(at), `${page} → ${target}`).toContain(anchor)
  }
})

/** The way from a page to the root; packages' pages say it in full, because npm shows them elsewhere. */
function fromRoot(page: string): string {
  return `${relative(dirname(page), '.') || '.'}/`
}

/** As the forge makes them: lower case, no punctuation, hyphens for spaces; and those that are written out. */
function anchorsOf(page: string): readonly string[] {
  const text = readPage(page).replace(/^```.*?^```/gms, '')
  const headings = Array.from(text.matchAll(/^#+ (.*)$/gm), ([, title = '']) =>
    title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )
  const written = Array.from(text.matchAll(/<a id="([^"]+)">/g), ([, id = '']) => id)
  return [...headings, ...written]
}
