import { describe, expect, it } from 'vitest'
import { bytesOf, listOf, numberOf, textOf, UnexpectedReplyError } from './replies.ts'

describe('replies', () => {
  it('reads numbers however they come', () => {
    expect(numberOf(3)).toBe(3)
    expect(numberOf(Buffer.from('1700000000000001'))).toBe(1_700_000_000_000_001)
    expect(numberOf('-5')).toBe(-5)
  })

  it.each<[string, () => unknown]>([
    ['a list', () => listOf('x')],
    ['a number', () => numberOf('x')],
    ['a number in nothing', () => numberOf('')],
    ['a number in null', () => numberOf(null)],
    ['a text', () => textOf(1)],
    ['bytes', () => bytesOf('x')],
  ])('throws where %s was promised', (_, read) => {
    expect(read).toThrow(UnexpectedReplyError)
  })
})
