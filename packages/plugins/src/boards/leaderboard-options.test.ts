import { InvalidOptionError } from '@larder/core'
import { describe, expect, it } from 'vitest'
import { resolveLeaderboardOptions, resolveTopOptions, scaledScore } from './leaderboard-options.ts'

describe('the options of a leaderboard', () => {
  it('have defaults', () => {
    expect(resolveLeaderboardOptions({ name: 'b' })).toEqual({
      rule: {
        board: 'b',
        per: 'none',
        timeZone: 'UTC',
        periods: 1,
        update: 'max',
        best: 'highest',
        ties: 'first',
        keep: 100_000,
        decimals: 0,
      },
      timeoutMs: 1_000,
      mergeMaxAgeMs: 0,
      decimals: 0,
    })
    expect(resolveLeaderboardOptions({ name: 'b', update: 'min' }).rule.best).toBe('lowest')
  })

  it.each([
    [{}, 'name'],
    [{ name: 'a:b' }, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 'b', per: 'year' }, 'per'],
    [{ name: 'b', per: null }, 'per'],
    [{ name: 'b', timeZone: 'UTC' }, 'timeZone'],
    [{ name: 'b', per: 'day', timeZone: 'Berlin' }, 'timeZone'],
    [{ name: 'b', periods: 2 }, 'periods'],
    [{ name: 'b', per: 'day', periods: 0 }, 'periods'],
    [{ name: 'b', update: 'avg' }, 'update'],
    [{ name: 'b', best: 'best' }, 'best'],
    [{ name: 'b', ties: 'random' }, 'ties'],
    [{ name: 'b', keep: 0 }, 'keep'],
    [{ name: 'b', keep: 1.5 }, 'keep'],
    [{ name: 'b', keep: null }, 'keep'],
    [{ name: 'b', decimals: 10 }, 'decimals'],
    [{ name: 'b', mergeMaxAge: '2h' }, 'mergeMaxAge'],
    [{ name: 'b', storeTimeout: 0 }, 'storeTimeout'],
    [{ name: 'b', kep: 3 }, 'kep'],
  ])('are checked: %j', (options, named) => {
    const resolve = () => resolveLeaderboardOptions(options as { name: string })
    expect(resolve).toThrow(InvalidOptionError)
    expect(resolve).toThrow(`createLeaderboard.${named}`)
  })

  it.each([
    ['top', { ago: 3 }, 'ago'],
    ['top', { merge: 4 }, 'merge'],
    ['top', { ago: 1, merge: 3 }, 'merge'],
    ['top', { merge: 0 }, 'merge'],
    ['top', { skip: -1 }, 'skip'],
    ['rank', { kind: 'best' }, 'kind'],
    ['rank', { skip: 1 }, 'skip'],
    ['count', { kind: 'dense' }, 'kind'],
  ])('of %s are checked: %j', (where, options, named) => {
    const board = resolveLeaderboardOptions({ name: 'b', per: 'day', periods: 3 })
    expect(() => resolveTopOptions(board, options as object, where)).toThrow(
      `leaderboard.${where}.${named}`,
    )
  })
})

describe('a score', () => {
  it('becomes a whole number of its last decimal, and comes back the same', () => {
    for (let cents = -100_000; cents <= 100_000; cents += 7) {
      const score = cents / 100
      if (cents !== 0) expect(scaledScore(score, 2, 'x')).toBe(cents)
      expect(cents / 10 ** 2).toBe(score)
    }
    expect(Object.is(scaledScore(0, 9, 'x'), 0)).toBe(true)
    expect(scaledScore(0.1 + 0.2, 1, 'x')).toBe(3)
  })

  it('is the number of units that was meant, or refused, over the whole range', () => {
    for (const decimals of [1, 2, 3, 6, 9]) {
      for (let units = 1; units < Number.MAX_SAFE_INTEGER; units = Math.ceil(units * 1.37)) {
        const score = units / 10 ** decimals
        const isAlone = [units - 1, units + 1].every((other) => other / 10 ** decimals !== score)
        if (isAlone) expect(scaledScore(score, decimals, 'x')).toBe(units)
        else expect(() => scaledScore(score, decimals, 'x')).toThrow(InvalidOptionError)
      }
    }
  })

  it('with more decimals than it may have is refused, also where numbers are large', () => {
    expect(() => scaledScore(2 ** 50 + 0.25, 0, 'x')).toThrow(/x takes a whole number/)
    for (let power = 0; power < 45; power++) {
      expect(() => scaledScore(2 ** power + 0.125, 2, 'x')).toThrow(InvalidOptionError)
      expect(scaledScore(2 ** power + 0.25, 2, 'x')).toBe(2 ** power * 100 + 25)
    }
  })
})
