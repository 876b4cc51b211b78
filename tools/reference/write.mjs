/** `npm run reference`: writes the pages that are made from the code. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../execute.mjs'
import { commandLinePage } from './command-line-page.mjs'
import { optionsPage } from './options-page.mjs'
import { redisPage } from './redis-page.mjs'

/** The pages by path, as they should be. */
export function referencePages() {
  return {
    'docs/reference/command-line.md': commandLinePage(ROOT),
    'docs/reference/options.md': optionsPage(ROOT),
    'docs/reference/redis.md': redisPage(ROOT),
  }
}

export function writeReference() {
  for (const [page, text] of Object.entries(referencePages())) writeFileSync(join(ROOT, page), text)
}
