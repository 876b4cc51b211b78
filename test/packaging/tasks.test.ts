/** The tasks of the repository: the first one of a fresh clone has to run before anything is installed. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')

it('load nothing that has to be installed when they start', () => {
  const seen = new Set<string>()
  const installed: string[] = []
  const follow = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/^import [^;]*?'([^']+)'$/gm)) {
      if (from.startsWith('.')) follow(join(dirname(file), from))
      else if (!from.startsWith('node:')) installed.push(`${file.slice(ROOT.length + 1)}: ${from}`)
    }
  }
  follow(join(ROOT, 'tools', 'run.mjs'))
  expect(seen.size).toBeGreaterThan(5)
  expect(installed).toEqual([])
})
