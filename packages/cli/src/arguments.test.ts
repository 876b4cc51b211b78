import { describe, expect, it } from 'vitest'
import { parseCall } from './arguments.ts'
import { COMMANDS, GLOBAL_OPTIONS } from './command-table.ts'

describe('words of a call', () => {
  it('are a command, its options and its arguments, in any order behind it', () => {
    const call = parseCall(['keys', '--limit', '5', 'c:', '-l', '-n', 'shop'])
    expect(call).toMatchObject({ kind: 'command', command: { name: 'keys' }, words: ['c:'] })
    if (call.kind !== 'command') return
    expect(call.options.count('limit')).toBe(5)
    expect(call.options.has('long')).toBe(true)
    expect(call.options.has('json')).toBe(false)
    expect(call.options.text('namespace')).toBe('shop')
  })

  it('behind -- are arguments, whatever they begin with', () => {
    expect(parseCall(['evict', '--yes', '--', '--x:1', '-n:2'])).toMatchObject({
      words: ['--x:1', '-n:2'],
    })
  })

  it.each([
    ['5s', 5_000],
    ['250', 250],
    ['1m', 60_000],
  ])('%s is a length of time', (text, ms) => {
    const call = parseCall(['evict', 'c:k', '--settle', text])
    expect(call.kind === 'command' && call.options.duration('settle')).toBe(ms)
  })

  it('without a command ask for help', () => {
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      expect(parseCall(args)).toEqual({ kind: 'help', command: undefined })
    }
    expect(parseCall(['--version'])).toEqual({ kind: 'version' })
  })
})

describe('the table of commands', () => {
  it('names nothing twice, and no option as one of every command', () => {
    const names = COMMANDS.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { options = [] } of COMMANDS) {
      const all = [...options, ...GLOBAL_OPTIONS]
      expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
      const shorts = all.flatMap(({ short }) => (short === undefined ? [] : [short]))
      expect(new Set(shorts).size).toBe(shorts.length)
    }
  })

  it('has a --dry-run and a --yes for what destroys', () => {
    for (const name of ['evict', 'evict-tag', 'clear']) {
      const { options = [] } = COMMANDS.find((command) => command.name === name) ?? {}
      const names = options.map((option) => option.name)
      expect(names).toEqual(expect.arrayContaining(['dry-run', 'yes']))
    }
  })
})
