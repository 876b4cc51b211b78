import { describe, expect, it } from 'vitest'
import { KeyError } from '../errors/key-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { compileTemplate } from './key-template.ts'

const OPTION = '@Cacheable(Products.find).key'
const key = (template: string, ...args: readonly unknown[]): string =>
  compileTemplate(template, OPTION)(args)

describe('a template', () => {
  class Account {
    get id(): string {
      return 'acc'
    }
  }

  it.each<[string, readonly unknown[], string]>([
    ['product:{0}', ['tea'], 'product:tea'],
    ['product:{0}', [42], 'product:42'],
    ['{0}', [42n], '42n'],
    ['{0}', [-0], '0'],
    ['{0}', [true], 'true'],
    ['{0}', [null], 'null'],
    ['{0}', [undefined], 'undefined'],
    ['{0}', [], 'undefined'],
    ['{1}:{0}', ['a', 'b'], 'b:a'],
    ['{0}:{0}', ['a'], 'a:a'],
    ['{10}', [...'0123456789x'], 'x'],
    ['{0.id}', [{ id: 'x' }], 'x'],
    ['{0.id}', [{ id: undefined }], 'undefined'],
    ['{0.id}', [new Account()], 'acc'],
    ['{0.length}', ['four'], '4'],
    ['{0.address.zip}', [{ address: { zip: 'E1 6AN' } }], 'E1 6AN'],
    ['{0.$a._b1}', [{ $a: { _b1: 'x' } }], 'x'],
    ['{{{0}}}', ['x'], '{x}'],
    ['{{0}}:{0}', ['x'], '{0}:x'],
    ['{0}{{{1}', ['a', 'b'], 'a{b'],
    ['{0}-{1}', [1, -2], '1--2'],
    ['{0} {1}\n{2}', ['a', 'b', 'c'], 'a b\nc'],
    ['v1:{0}:{1}:end', ['a', 'b'], 'v1:a:b:end'],
    ['file:{0}', ['C:\\temp:1'], 'file:C:\\temp:1'],
  ])('%j (case %#) is filled in', (template, args, expected) => {
    expect(key(template, ...args)).toBe(expected)
  })

  it('escapes in a slot the character that follows it', () => {
    expect(key('a:{0}:{1}', 'x:y', 'z')).toBe('a:x\\:y:z')
    expect(key('a:{0}:{1}', 'x', 'y:z')).toBe('a:x:y:z')
    expect(key('{0}-{1}', -1, 'z')).toBe('\\-1-z')
    expect(key('{0}😀', 'a😀b')).toBe('a\\😀b😀')
  })

  it('marks a string that looks like a value of another type', () => {
    const lookalikes = [
      '1',
      '-1',
      '1.5',
      '1e+21',
      '7n',
      'NaN',
      'Infinity',
      '-Infinity',
      'true',
      'false',
      'null',
      'undefined',
      '',
      "'a",
    ]
    expect(lookalikes.map((text) => key('{0}', text))).toEqual(lookalikes.map((text) => `'${text}`))
  })

  it('leaves a string as it is that only begins like one', () => {
    for (const text of ['3f2a-b', '1a', '1.', '.5', 'nullable', 'Infinity!', '-', "a'b", '1,5']) {
      expect(key('{0}', text)).toBe(text)
    }
  })

  it.each([
    '{0}:{1}',
    '{0}1{1}',
    '{0}.{1}',
    '{0}n{1}',
    "{0}'{1}",
    '{0}-{1}',
    '{0}::{1}',
    '{0}a{1}',
    '{0}😀{1}',
  ])('%j gives every two lists of slot values their own key', (template) => {
    const [, middle = ''] = /\}(.+)\{/u.exec(template) ?? []
    // biome-ignore format: a table
    const values = new Set<unknown>([
      '', 'a', '1', '11', "'", "'1", "''", '\\', '\\\\', `\\${middle}`, `${middle}\\`, middle, middle + middle,
      `a${middle}`, `${middle}a`, `a${middle}a`, `1${middle}1`, 'n', '1n', 'null', 'undefined', '-', '-1', '.', '1.5',
      '\ud83d', '\ude00', '\ufffd', 'NaN', 'true', 1, 11, -1, 1.5, 1n, 11n, true, false, null, undefined, Number.NaN,
    ])
    const seen = new Map<string, string>()
    for (const [i, first] of [...values].entries()) {
      for (const [j, second] of [...values].entries()) {
        const made = key(template, first, second)
        expect(seen.get(made), `${i},${j} share ${made}`).toBeUndefined()
        seen.set(made, `${i},${j}`)
      }
    }
  })

  it('shortens long keys without mixing them up', () => {
    const made = [key('p:{0}', 'x'.repeat(300)), key('p:{0}', `${'x'.repeat(299)}y`)]
    expect(made[0]).toMatch(/^p:x+#.{43}$/)
    expect(made[0]).not.toBe(made[1])
    expect(key('{0}', made[0])).not.toBe(made[0])
  })
})

describe('a template is refused when it is defined', () => {
  it.each<[unknown, string]>([
    ['', 'a template with a slot'],
    ['products', 'a template with a slot'],
    ['{{0}}', 'a template with a slot'],
    ['{', "a template such as 'product:{0}'"],
    ['}', 'a template such as'],
    ['{0', 'a template such as'],
    ['0}', 'a template such as'],
    ['{0}}', 'a template such as'],
    ['{{0}', 'a template such as'],
    ['{0{1}}', 'a template such as'],
    ['{}', 'a template such as'],
    ['{ 0 }', 'a template such as'],
    ['{id}', 'a template such as'],
    ['{-1}', 'a template such as'],
    ['{01}', 'a template such as'],
    ['{100}', 'a template such as'],
    ['{0.}', 'a template such as'],
    ['{.id}', 'a template such as'],
    ['{0..id}', 'a template such as'],
    ['{0.1}', 'a template such as'],
    ['{0["id"]}', 'a template such as'],
    ['{0.id ?? 1}', 'a template such as'],
    ['\ud83d{0}', 'a template such as'],
    [7, 'a template such as'],
    ['{0}{1}', 'a template with text between its slots'],
    ['{0}\\{1}', 'a template with no backslash right after a slot'],
  ])('%j', (template, message) => {
    const compile = () => compileTemplate(template as string, OPTION)
    expect(compile).toThrow(InvalidOptionError)
    expect(compile).toThrow(`${OPTION} takes ${message}`)
  })
})

describe('a call whose slots cannot be read is refused', () => {
  it.each<[string, readonly unknown[], string]>([
    ['{0.id}', [], 'The key template slot {0.id} cannot be read: undefined has no property id.'],
    ['{0.id}', [null], 'null has no property id'],
    ['{0.address.zip}', [{ address: null }], 'null has no property zip'],
    ['{0.address.zip}', [{}], 'there is no property address'],
    [
      '{0.idd}',
      [{ id: 1 }],
      'there is no property idd. Where it is optional, give a key function.',
    ],
    ['{0.id}', ['text'], 'there is no property id'],
    ['{0}', [{}], 'The key template slot {0} is an object of class Object'],
    ['{0}', [[1]], 'is an array of 1'],
    ['{0}', [new Date(0)], 'is an object of class Date'],
    ['{0.toString}', [{}], 'is a function named toString'],
    ['{0.__proto__}', [{}], 'is an object of class'],
    ['{0}', [Symbol('s')], 'is a symbol'],
  ])('%j (case %#)', (template, args, message) => {
    expect(() => key(template, ...args)).toThrow(KeyError)
    expect(() => key(template, ...args)).toThrow(message)
  })
})
