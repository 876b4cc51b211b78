import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { VERSION } from './version.ts'

it('is that of the manifest', () => {
  const manifest = readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')
  expect(VERSION).toBe((JSON.parse(manifest) as { version: string }).version)
})
