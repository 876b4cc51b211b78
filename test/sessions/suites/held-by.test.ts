import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { HELD } from './held-by.ts'

it('the tests that hold what the public suites check exist', () => {
  const missing = Object.values(HELD)
    .flat()
    .flatMap(({ by }) => by)
    .filter(([file, title]) => {
      const text = readFileSync(join(import.meta.dirname, '..', file), 'utf8')
      return !titlesOf(text).some((each) => each.includes(title))
    })
  expect(missing).toEqual([])
})

function titlesOf(text: string): readonly string[] {
  return Array.from(text.matchAll(/(?<=[\s(])'((?:[^'\\\n]|\\.)*)'/g), ([, title = '']) => title)
}
