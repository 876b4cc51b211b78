import { describe, expect, it } from 'vitest'
import { faultsOf } from '../tools/check-scripts.mjs'
import { SCRIPTS } from './scripts.generated.ts'

describe.each(Object.entries(SCRIPTS))('%s', (_, { lua, keys }) => {
  it('says in its header what it takes, a line for each key and argument, and what it returns', () => {
    expect(faultsOf(keys, lua)).toEqual([])
  })

  it('has no global variables and no tostring', () => {
    // Lua's tostring writes large numbers with an exponent; a global would be an error at run time.
    expect(lua).not.toMatch(/\btostring\(/)
    for (const line of lua.split('\n')) {
      expect(line, 'a global function').not.toMatch(/^function /)
    }
  })
})

describe('the check of a header', () => {
  const header = (...lines: readonly string[]): string =>
    ['--[[ Does something.', ...lines.map((line) => `  ${line}`), '  Returns 1 ]]', ''].join('\n')

  it.each<[string, number | 'n', string]>([
    ['is named for 2 keys and declares 1', 2, header('KEYS[1]  a')],
    ['is named for n keys and declares 1', 'n', header('KEYS[1]  a')],
    ['is named for 1 keys and declares 1 or more', 1, header('KEYS[1..]  a')],
    ['has no line of its own for each of ARGV', 1, header('KEYS[1]  a', 'ARGV[1]  b   ARGV[2] c')],
    ['declares ARGV[3] where 2 is next', 1, header('KEYS[1]  a', 'ARGV[1]  b', 'ARGV[3]  c')],
    [
      'reads ARGV[1], which its header does not declare',
      1,
      `${header('KEYS[1]  a')}return ARGV[1]`,
    ],
    ['does not say what it returns', 1, '--[[ Does something.\n  KEYS[1]  a\n]]'],
  ])('tells of a script that %s', (fault, keys, lua) => {
    expect(faultsOf(keys, lua)).toContain(fault)
  })
})
