/** CONTRIBUTING sends people to folders, files and commands that exist. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8')

it('folders and files exist', () => {
  const named = Array.from(text.matchAll(/`((?:packages|test|docs|bench|tools|\.)[\w./-]*)`/g))
  expect(named.length).toBeGreaterThan(30)
  for (const [, path = ''] of named) expect(existsSync(join(ROOT, path)), path).toBe(true)
})

it('commands exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g))
    expect(scripts).toHaveProperty([name])
})
