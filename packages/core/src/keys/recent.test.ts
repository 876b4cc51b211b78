import { describe, expect, it } from 'vitest'
import { Recent } from './recent.ts'

const GENERATION = 2_048

/** Makes an object a time, so that what is remembered can be told from what is made anew. */
function remembering(): { readonly recent: Recent<string, object>; readonly made: string[] } {
  const made: string[] = []
  const recent = new Recent((input: string) => {
    made.push(input)
    return { input }
  })
  return { recent, made }
}

/** Asks for new inputs, with a known one in between, so that remembering stays worthwhile. */
function ask(recent: Recent<string, object>, from: number, count: number): void {
  for (let i = from; i < from + count; i++) {
    recent.of(`input ${i}`)
    recent.of(`input ${i}`)
  }
}

describe('what was made of an input', () => {
  it('is made once and given again', () => {
    const { recent, made } = remembering()

    expect(recent.of('a')).toBe(recent.of('a'))
    expect(recent.of('b')).toEqual({ input: 'b' })
    expect(made).toEqual(['a', 'b'])
  })

  it('stays while it is asked for, however much else is', () => {
    const { recent } = remembering()
    const first = recent.of('kept')
    for (let i = 0; i < 10; i++) {
      ask(recent, i * 1_000, 1_000)
      expect(recent.of('kept')).toBe(first)
    }
  })

  it('is dropped when it was not asked for lately', () => {
    const { recent } = remembering()
    const first = recent.of('left')
    ask(recent, 0, GENERATION)
    ask(recent, GENERATION, GENERATION)

    expect(recent.of('left')).not.toBe(first)
  })

  it('is not remembered for a while when inputs do not come back, and then again', () => {
    const { recent, made } = remembering()
    for (let i = 0; i <= GENERATION; i++) recent.of(`once ${i}`)
    expect(recent.of('a')).not.toBe(recent.of('a'))

    for (let i = 0; i < 16 * GENERATION; i++) recent.of('a')
    expect(recent.of('a')).toBe(recent.of('a'))
    expect(made.filter((input) => input === 'a').length).toBe(16 * GENERATION + 1)
  })
})
