import { describe, expect, it } from 'vitest'
import {
  channelName,
  entryKey,
  entryPattern,
  fullKeyOf,
  hashTagOf,
  logKey,
  tagsKey,
} from './key-layout.ts'

describe('key layout', () => {
  it('puts the hash tag first, the same for an entry and its log', () => {
    expect(entryKey('shop', 12, 'products:{42}')).toBe('{shop:12}:products:{42}')
    expect(logKey('shop', 12)).toBe('{shop:12}')
    expect(tagsKey('shop')).toBe('{shop:tags}')
    const named = { database: 2, identity: 'Jd8s' }
    expect(channelName('shop', named)).toBe('shop:bus:2:Jd8s')
    expect(channelName('shop', { database: 0, identity: '' })).toBe('shop:bus:0')
    expect(hashTagOf(entryKey('shop', 12, 'products:{42}'))).toBe('shop:12')
    expect(hashTagOf(logKey('shop', 12))).toBe('shop:12')
  })

  it('gets the full key back, whatever characters it holds', () => {
    for (const key of ['products:42', 'c:}:x', 'c:{a:1}:b', 'c:', 'c:☃\n*?[x]\\']) {
      expect(fullKeyOf('shop', entryKey('shop', 5, key))).toBe(key)
    }
  })

  it.each([
    ['the log', logKey('shop', 5)],
    ['the tag clock', tagsKey('shop')],
    ['a key behind another hash tag', '{shop:locks}:order:7'],
    ['an entry of another namespace', entryKey('shop2', 5, 'c:k')],
    ['an entry of a namespace that ends in ours', entryKey('my-shop', 5, 'c:k')],
    ['something else', 'shop:5:c:k'],
  ])('takes %s for no entry', (_, key) => {
    expect(fullKeyOf('shop', key)).toBeUndefined()
  })

  it('escapes what SCAN would read as a pattern', () => {
    expect(entryPattern('a.b', 'c:[x]*?\\')).toBe('{a.b:[0-9]*}:c:\\[x\\]\\*\\?\\\\*')
  })
})
