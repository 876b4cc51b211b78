import { describe, expect, it } from 'vitest'
import { classNameOf, describeValue, InvalidOptionError } from './option-error.ts'

const failed = (received: unknown, option = 'lruStore.maxEntries') =>
  new InvalidOptionError({ option, expected: 'a whole number', received }).message

describe('the message of a wrong option', () => {
  it('says which option, what it takes, what it got and of which type', () => {
    expect(failed('5')).toBe('lruStore.maxEntries takes a whole number, but got "5" (string).')
  })

  it('ends with what was probably meant', () => {
    const error = new InvalidOptionError({
      option: 'a.ttl',
      expected: 'a duration',
      received: '5 minutes',
      suggestion: "'5m'",
    })
    expect(error.message).toMatch(/ Did you mean '5m'\?$/)
    expect(error.option).toBe('a.ttl')
  })

  it('lists the known names for an unknown one, and not its value', () => {
    const error = new InvalidOptionError({
      option: 'a.tll',
      known: ['ttl', 'tags'],
      suggestion: 'ttl',
    })
    expect(error.message).toBe(
      'a.tll is not a known option. Did you mean ttl? Known options are ttl, tags.',
    )
  })

  it.each([
    ['redisStore.url', 'localhost without a scheme'],
    ['redisStore.password', 'hunter2'],
    ['encryption.masterKey', 'too short'],
    ['dashboard.token', 'abc'],
    ['redisStore.client', 'rediss://user:hunter2@db:6379'],
  ])('never repeats a secret: %s', (option, secret) => {
    const message = failed(secret, option)
    expect(message).toContain(`a string of ${secret.length} characters`)
    expect(message).not.toContain(secret)
  })

  it('never repeats what the caller declares to be a secret', () => {
    const problem = {
      option: 'encryption.keys',
      expected: '32 bytes',
      received: 'short',
      isSecret: true,
    }
    expect(new InvalidOptionError(problem).message).not.toContain('short')
  })

  it('does repeat a key template, which is no secret', () => {
    expect(failed('product:{0', '@Cacheable(Products.find).key')).toContain('"product:{0"')
  })

  it('keeps the cause', () => {
    const cause = new Error('why')
    const error = new InvalidOptionError({ option: 'a', expected: 'b', received: 1, cause })
    expect(error.cause).toBe(cause)
  })
})

describe('describing a value', () => {
  class Money {}

  it.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    [-0, '-0 (number)'],
    [Number.NaN, 'NaN (number)'],
    [10n, '10 (bigint)'],
    [true, 'true (boolean)'],
    ['a\nb', '"a\\nb" (string)'],
    [Symbol('x'), 'a symbol'],
    [function load() {}, 'a function named load'],
    [() => {}, 'a function'],
    [[1, 2], 'an array of 2'],
    [{}, 'an object of class Object'],
    [new Money(), 'an object of class Money'],
    [Object.create(null), 'an object of class null-prototype object'],
    [new (class {})(), 'an object of class anonymous'],
  ])('%#: says what it is', (value, expected) => {
    expect(describeValue(value)).toBe(expected)
  })

  it('survives objects that refuse to be looked at', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const hostile: unknown = Object.create({
      get constructor(): never {
        throw new Error('looked')
      },
    })
    expect(describeValue(proxy)).toBe('an object that cannot be read')
    expect(describeValue(hostile)).toBe('an object that cannot be read')
  })

  it.each([
    ['string', 'x'.repeat(10_000)],
    ['bigint', 10n ** 5_000n],
    ['function', Object.defineProperty(() => {}, 'name', { value: 'f'.repeat(10_000) })],
  ])('stays short for a long %s', (_type, value) => {
    expect(describeValue(value).length).toBeLessThan(100)
  })

  it('names a class whose `name` is no string as anonymous', () => {
    class Odd {}
    Object.defineProperty(Odd, 'name', { value: 7 })
    expect(classNameOf(new Odd())).toBe('anonymous')
  })
})
