import { expect, it } from 'vitest'
import { casesOfMocha, casesOfTap, verdictOf } from './results.ts'

it('a case that fails without an excuse is told, and so is an excuse that is not needed', () => {
  const results = [
    { name: 'a', isPassed: true },
    { name: 'b', isPassed: false, said: 'why' },
    { name: 'c', isPassed: false },
    { name: 'd', isPassed: true },
  ]
  const excuses = ['c', 'd'].map((name) => ({ name, reason: 'some' }))
  expect(verdictOf(results, excuses)).toEqual({
    passed: 2,
    excused: 2,
    unexpected: ['failed: b (why)', 'no longer fails: d'],
  })
})

it('the reports of both runners are read', () => {
  const stats = { stats: {}, passes: [{ fullTitle: 'a' }], failures: [{ fullTitle: 'b', err: {} }] }
  const mocha = casesOfMocha(`noise\n${JSON.stringify(stats, null, 2)}`)
  expect(mocha.map(({ name, isPassed }) => [name, isPassed])).toEqual([
    ['a', true],
    ['b', false],
  ])
  const tap = casesOfTap('TAP version 13\nok 1 - a\n    not ok 1 - inner\nnot ok 2 - b # time=1\n')
  expect(tap.map(({ name, isPassed }) => [name, isPassed])).toEqual([
    ['a', true],
    ['b', false],
  ])
})
