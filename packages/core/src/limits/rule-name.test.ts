import { expect, it } from 'vitest'
import type { LimitPolicy } from '../contracts/rate-limit-provider.ts'
import { ruleName } from './rule-name.ts'

const exact = (name: string, limit = 1): LimitPolicy => ({
  name,
  limit,
  windowUs: 2,
  algorithm: 'exact',
})
const daily = (timeZone: string): LimitPolicy => ({
  name: 'default',
  limit: 1,
  algorithm: 'calendar',
  period: 'day',
  timeZone,
})

const ALPHABET = /^[A-Za-z0-9_.-]{1,64}$/

it('says what the policies are, where that is short and plain', () => {
  expect(ruleName([exact('default')])).toBe('exact-1-2')
  expect(ruleName([exact('burst'), exact('daily', 9)])).toBe('burst-exact-1-2_daily-exact-9-2')
})

it('is the same for the same policies', () => {
  const policies = (): LimitPolicy[] => [exact('a-b'), daily('Europe/Berlin')]
  expect(ruleName(policies())).toBe(ruleName(policies()))
})

it.each<[string, readonly LimitPolicy[], readonly LimitPolicy[]]>([
  ['a name that reads like two policies', [exact('a-exact-1-2_b')], [exact('a'), exact('b')]],
  [
    'the default name, and one that reads like it',
    [exact('exact-1-2_b')],
    [exact('default'), exact('b')],
  ],
  ['zones that differ in what a name must not hold', [daily('Etc/GMT+5')], [daily('Etc.GMT/5')]],
  ['an order', [exact('a'), exact('b')], [exact('b'), exact('a')]],
  [
    'names that agree at the beginning',
    [exact(`${'a'.repeat(63)}b`)],
    [exact(`${'a'.repeat(63)}c`)],
  ],
  ['a name with a dash, and the words around it', [exact('a-b')], [exact('a.b')]],
])('is another one for policies that differ in %s', (_, one, other) => {
  expect(ruleName(one)).not.toBe(ruleName(other))
  expect([ruleName(one), ruleName(other)]).toEqual([
    expect.stringMatching(ALPHABET),
    expect.stringMatching(ALPHABET),
  ])
})
