/**
 * Every ablation still fits the sources: whoever moves or rewords a mechanism finds out here, and not in the run by hand
 * that takes the mechanisms out.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { ABLATIONS } from './ablations.mjs'
import { applyEdit, editsOf } from './edits.mjs'

const ROOT = join(import.meta.dirname, '..', '..')
const PROTECTED = /^(?:I[1-8]|authenticity|delivery)$/

it('each has a name of its own', () => {
  const names = ABLATIONS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})

describe.each(ABLATIONS.map((ablation) => [ablation.name, ablation] as const))(
  'without %s',
  (name, ablation) => {
    it('there is something to take out, and a test to notice', async () => {
      for (const edit of editsOf(ablation)) {
        const text = readFileSync(join(ROOT, edit.file), 'utf8')
        const without = applyEdit(name, edit, text)
        expect(without).not.toBe(text)
        // Code that cannot be read turns every test red, and shows nothing.
        if (edit.file.endsWith('.ts')) await transform(without, { loader: 'ts' })
      }
      for (const test of [ablation.tests].flat())
        expect(existsSync(join(ROOT, test)), test).toBe(true)
      expect(ablation.protects).toMatch(PROTECTED)
    })
  },
)
