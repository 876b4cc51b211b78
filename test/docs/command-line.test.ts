/** Calls of `larder` that pages show are understood by it. */

import { describe, expect, it } from 'vitest'
import { parseCall } from '../../packages/cli/src/arguments.ts'
import { ALL_PAGES, blocksOf } from './pages.ts'

describe('the documentation', () => {
  const LINE = /^(?:npx @larder\/cli|npx larder|larder) (.*)$/
  const calls = ALL_PAGES.flatMap((page) =>
    blocksOf(page, 'sh')
      .flatMap((block) => block.split('\n'))
      .flatMap((line) => line.split(' | '))
      .flatMap((line) => LINE.exec(line.replace(/ +#.*$/, '').trim())?.[1] ?? [])
      .map((words) => ({ page, words })),
  )

  it('shows calls', () => expect(calls.length).toBeGreaterThan(20))

  it.each(calls)('$page: larder $words', ({ words }) => {
    expect(() => parseCall(words.split(' '))).not.toThrow()
  })
})
