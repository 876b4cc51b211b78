/**
 * The plan of the house holds: files stay short, nothing runs in a circle, in core nothing imports from a floor above, and a read does
 * not run through more and more files.
 */

import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { FLOORS, LONGER, LONGEST_WALKS, MOST_LINES, UPWARD } from '../../tools/house/floors.mjs'
import { measure, upwardImports } from '../../tools/house/measure.mjs'
import { cyclesOf, importsOf, type Source } from '../../tools/house/sources.mjs'

const CORE = join(import.meta.dirname, '../../packages/core/src')
const house = measure()

describe('files', () => {
  it('are no longer than the bound, and those that were longer do not grow', () => {
    const grown = house.long
      .filter(({ file, lines }) => lines > (LONGER[file] ?? MOST_LINES))
      .map(({ file, lines }) => `${file} has ${lines} lines`)
    expect(grown).toEqual([])
  })

  it('that fit by now have left the list of those that do not', () => {
    const long = house.long.map(({ file }) => file)
    expect(Object.keys(LONGER).filter((file) => !long.includes(file))).toEqual([])
  })
})

describe('imports', () => {
  it('run in no circle', () => {
    expect(house.cycles).toEqual([])
  })

  it('of core lead to a floor below, but for those known', () => {
    expect(house.upward.filter((path) => !UPWARD.includes(path))).toEqual([])
  })

  it('that no longer lead up have left the list of those that do', () => {
    expect(UPWARD.filter((path) => !house.upward.includes(path))).toEqual([])
  })

  it('find a floor for every folder and outermost file of core', () => {
    const rooms = readdirSync(CORE).filter((name) => !name.endsWith('.test.ts'))
    expect([...FLOORS].sort()).toEqual(rooms.sort())
  })
})

describe('a decorated read', () => {
  it('runs through no more files of core than it did', async () => {
    const from = ['--conditions=larder-source', '--import', 'tsx', 'house/walk.ts', '--json']
    const cwd = join(import.meta.dirname, '..')
    const { stdout } = await promisify(execFile)(process.execPath, from, { cwd })
    const { cold, hit } = JSON.parse(stdout) as Record<'cold' | 'hit', readonly string[]>
    expect(cold.length, cold.join('\n')).toBeLessThanOrEqual(LONGEST_WALKS.cold)
    expect(hit.length, hit.join('\n')).toBeLessThanOrEqual(LONGEST_WALKS.hit)
    expect(cold).toContain('cache/read-path.ts')
    expect(hit).toContain('manager/engine-method-cache.ts')
  })
})

describe('the measure', () => {
  const source = (file: string, text: string): Source => ({ file, text, imports: importsOf(text) })

  it('sees an import that leads up, type imports, re-exports and lazy ones included', () => {
    const text = [
      "import type { A } from '../cache/a.ts'",
      "export { b } from '../decorators/b.ts'",
      "const c = () => import('../manager/c.ts')",
      "import { d } from '../errors/d.ts'",
      "import { e } from './e.ts'",
    ].join('\n')
    expect(upwardImports([source('packages/core/src/keys/x.ts', text)])).toEqual([
      'keys/x.ts → cache/a.ts',
      'keys/x.ts → decorators/b.ts',
      'keys/x.ts → manager/c.ts',
    ])
  })

  it('refuses a folder that is on no floor', () => {
    const stray = source('packages/core/src/keys/x.ts', "import { a } from '../cellar/a.ts'")
    expect(() => upwardImports([stray])).toThrow(/cellar\/a\.ts is on no floor/)
  })

  it('sees a circle', () => {
    const a = source('p/a.ts', "import { b } from './b.ts'")
    const b = source('p/b.ts', "import type { a } from './a.ts'")
    expect(cyclesOf([a, b])).toEqual(['p/a.ts → p/b.ts → p/a.ts'])
  })
})
