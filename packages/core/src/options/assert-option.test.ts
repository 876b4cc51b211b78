import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../errors/option-error.ts'
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownOptions,
  assertOneOf,
  assertText,
  nearestName,
} from './assert-option.ts'

const NAMES = ['ttl', 'tags', 'key', 'staleWhileRevalidate', 'staleIfError', 'negativeTtl']

describe('an options object', () => {
  it.each([
    [{}],
    [{ ttl: 1 }],
    [Object.create(null)],
    [
      new (class Options {
        ttl = 1
      })(),
    ],
  ])('passes with known names only: %o', (options) => {
    expect(() => assertKnownOptions(options, NAMES, 'cache')).not.toThrow()
  })

  it.each([
    ['tll', 'ttl'],
    ['tlt', 'ttl'],
    ['TTL', 'ttl'],
    ['tag', 'tags'],
    ['staleWhileRevalidat', 'staleWhileRevalidate'],
    ['staleWhileRevaildate', 'staleWhileRevalidate'],
    ['stale_if_error', 'staleIfError'],
    ['negativTTL', 'negativeTtl'],
  ])('suggests for %s the known name %s', (wrong, right) => {
    expect(() => assertKnownOptions({ [wrong]: 1 }, NAMES, '@Cacheable(Products.find)')).toThrow(
      `@Cacheable(Products.find).${wrong} is not a known option. Did you mean ${right}?`,
    )
  })

  it.each(['expires', 'x', 'kez2', ''])('suggests nothing for %j', (wrong) => {
    expect(nearestName(wrong, NAMES)).toBeUndefined()
  })

  it('refuses names that every object inherits', () => {
    expect(() => assertKnownOptions(JSON.parse('{"__proto__":1}'), NAMES, 'cache')).toThrow(
      InvalidOptionError,
    )
    expect(() => assertKnownOptions({ constructor: 1 }, NAMES, 'cache')).toThrow(InvalidOptionError)
  })

  it('never looks at a value to refuse its name', () => {
    const options = {
      get secret(): never {
        throw new Error('looked')
      },
    }
    expect(() => assertKnownOptions(options, NAMES, 'cache')).toThrow(
      'cache.secret is not a known option',
    )
  })

  it('suggests the nearest of several near names, whatever their order', () => {
    expect(nearestName('staleIfErr', ['staleIfErrs', 'staleIfError'])).toBe('staleIfErrs')
    expect(nearestName('staleIfErr', ['staleIfError', 'staleIfErrs'])).toBe('staleIfErrs')
  })

  it('refuses a very long name at once', { timeout: 1_000 }, () => {
    expect(nearestName('t'.repeat(10_000_000), NAMES)).toBeUndefined()
  })

  it.each([
    [undefined],
    [null],
    ['ttl'],
    [5],
    [[]],
    [() => {}],
    [new Map()],
    [Promise.resolve({})],
    [new Date()],
  ])('is not %s', (options) => {
    expect(() => assertKnownOptions(options, NAMES, 'cache')).toThrow(
      'cache takes an options object, but got',
    )
  })
})

describe('single checks', () => {
  it.each<[string, () => void, () => void]>([
    ['function', () => assertFunction(() => {}, 'o'), () => assertFunction({}, 'o')],
    ['boolean', () => assertBoolean(false, 'o'), () => assertBoolean(0, 'o')],
    ['choice', () => assertOneOf('a', ['a', 'b'], 'o'), () => assertOneOf('c', ['a', 'b'], 'o')],
    [
      'least',
      () => assertInteger(1, 'o', { min: 1, max: 9 }),
      () => assertInteger(0, 'o', { min: 1, max: 9 }),
    ],
    [
      'most',
      () => assertInteger(9, 'o', { min: 1, max: 9 }),
      () => assertInteger(10, 'o', { min: 1, max: 9 }),
    ],
    [
      'whole',
      () => assertInteger(2, 'o', { min: 1, max: 9 }),
      () => assertInteger(2.5, 'o', { min: 1, max: 9 }),
    ],
    [
      'number',
      () => assertInteger(2, 'o', { min: 1, max: 9 }),
      () => assertInteger('2', 'o', { min: 1, max: 9 }),
    ],
    ['text', () => assertText('a', 'o'), () => assertText('', 'o')],
    ['length', () => assertText('abc', 'o', 3), () => assertText('abcd', 'o', 3)],
    ['well-formed', () => assertText('😀', 'o'), () => assertText('\ud83d', 'o')],
    ['string', () => assertText('1', 'o'), () => assertText(1, 'o')],
  ])('%s: takes the right and refuses the wrong', (_what, right, wrong) => {
    expect(right).not.toThrow()
    expect(wrong).toThrow(InvalidOptionError)
  })

  it('names the choices', () => {
    expect(() => assertOneOf('c', ['a', 'b'], 'o')).toThrow(
      'o takes "a" or "b", but got "c" (string).',
    )
  })
})
