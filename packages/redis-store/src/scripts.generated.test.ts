import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generateScripts } from '../tools/generate-scripts.ts'
import { SCRIPTS } from './scripts.generated.ts'

describe('scripts.generated.ts', () => {
  it('is what tools/generate-scripts.ts makes of lua/', () => {
    const text = readFileSync(join(import.meta.dirname, 'scripts.generated.ts'), 'utf8')
    expect(text === generateScripts(), 'stale: run tools/generate-scripts.ts').toBe(true)
  })

  it.each(Object.entries(SCRIPTS))('says of %s what it takes and returns', (_, { lua, keys }) => {
    const [header = ''] = lua.split(']]')
    expect(header).toMatch(/^--\[\[ [A-Z]/)
    expect(header).toMatch(/ {2}Returns /)
    const declared = [...header.matchAll(/KEYS\[(\d+)(\.\.)?\]/g)]
    if (keys === 'n') expect(declared.at(-1)?.[2]).toBe('..')
    else expect(declared.map(([, n]) => n).at(-1)).toBe(`${keys}`)
  })

  it.each(Object.entries(SCRIPTS))(
    'has no global variables and no tostring in %s',
    (_, { lua }) => {
      // Lua's tostring writes large numbers with an exponent; a global would be an error at run time.
      expect(lua).not.toMatch(/\btostring\(/)
      for (const line of lua.split('\n')) {
        expect(line, 'a global function').not.toMatch(/^function /)
      }
    },
  )
})
