import { describe, expect, it } from 'vitest'
import { safeJson, visible } from './escape.ts'

const EVIL = '\u001b[2J\u0007\u009b31m\u202e\u2066\u200b\ufeff\u0000\u007f\r\n\t\ud800'

describe('text of others', () => {
  it('has every character that a terminal would act upon made visible', () => {
    expect(visible(EVIL)).toBe(
      '\\x1b[2J\\x07\\x9b31m\\u202e\\u2066\\u200b\\ufeff\\x00\\x7f\\x0d\\n\\t\\ud800',
    )
  })

  it('stays as it is otherwise, in any script', () => {
    const text = "products:('de,{'page,2,},) ☃ 商品 café 👩 \\ %s"
    expect(visible(text)).toBe(text)
  })

  it('in JSON is escaped, and reads back as it was', () => {
    const json = safeJson({ key: EVIL })
    expect(visible(json)).toBe(json)
    expect(JSON.parse(json)).toEqual({ key: EVIL })
  })

  it('in JSON may be what JSON does not have', () => {
    const value = { map: new Map([['a', 1]]), set: new Set([2]), big: 3n, at: new Date(0) }
    expect(JSON.parse(safeJson(value))).toEqual({
      map: [['a', 1]],
      set: [2],
      big: '3',
      at: '1970-01-01T00:00:00.000Z',
    })
  })
})
