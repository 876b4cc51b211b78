/** The public tests of HTTP caches, with our cache in front of their origin. */

import { describe, expect, it } from 'vitest'
import { FRAMEWORKS } from './support/frameworks.ts'
import { NOT_OFFERED, NOT_REQUIRED_OF_US } from './support/not-offered.ts'
import { failuresOf, PUBLIC_TESTS } from './support/public-suite.ts'

const kindOf = new Map(PUBLIC_TESTS.map(({ id, kind = 'required' }) => [id, kind]))
const EXCUSED = new Set([...Object.keys(NOT_REQUIRED_OF_US), ...Object.keys(NOT_OFFERED)])
const MINUTES = 60_000

/** On any of the frameworks. */
const failedSomewhere = new Set<string>()

// Express 5 stands for all that are middleware of node:http.
describe.each(FRAMEWORKS.filter(({ name }) => !/express 4|connect/.test(name)))(
  '$name',
  (framework) => {
    it('passes every required test, and every optimal one but those that are listed', {
      timeout: 3 * MINUTES,
    }, async () => {
      const failures = await failuresOf(framework, EXCUSED)
      for (const id of failures.keys()) failedSomewhere.add(id)
      const of = (kind: string) =>
        [...failures].filter(([id]) => kindOf.get(id) === kind).map(([id, why]) => `${id}: ${why}`)
      const unexpected = [...of('required'), ...of('optimal')].filter(
        (line) => !EXCUSED.has(line.slice(0, line.indexOf(': '))),
      )
      expect(unexpected).toEqual([])
    })
  },
)

it('each test that is not passed is one, and of the kind that its list says', () => {
  for (const id of Object.keys(NOT_OFFERED)) expect(kindOf.get(id), id).toBe('optimal')
  for (const id of Object.keys(NOT_REQUIRED_OF_US)) expect(kindOf.get(id), id).toBe('required')
})

it('no test is excused that passes everywhere', () => {
  expect([...EXCUSED].filter((id) => !failedSomewhere.has(id))).toEqual([])
})
