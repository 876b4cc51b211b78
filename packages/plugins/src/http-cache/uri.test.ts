import { describe, expect, it } from 'vitest'
import { readRange } from './parts.ts'
import { readTarget, uriTag } from './uri.ts'

describe('the tag of a path', () => {
  it.each([
    '/Products/42',
    '/products/42/',
    '//products//42',
    '/products/%34%32',
    '/x/../products/./42',
    '/%70roducts/42',
    '/products%2F42',
  ])('of %s is that of what routers take for the same', (path) => {
    expect(uriTag(path)).toBe('uri:/products/42')
  })

  it('of another path is another one', () => {
    const paths = ['/', '/a', '/a%252Fb', '/a/b', '/a%20b', '/ab', '/a%C3%A9', '/a%e9']
    expect(new Set(paths.map(uriTag)).size).toBe(paths.length)
  })

  it('of a long path is short, and its own', () => {
    const tags = ['a', 'b'].map((end) => uriTag(`/${'x'.repeat(5_000)}${end}`))
    expect(tags[0]).not.toBe(tags[1])
    for (const tag of tags) expect(tag.length).toBeLessThan(100)
  })
})

it.each(['http://evil.example/', '*', '', 'a', '/a#b', '/a?b#c', '/a b', '/é', '/a\u0000'])(
  '%s is no target',
  (text) => {
    expect(readTarget(text)).toBeUndefined()
  },
)

it('a query has its names and values, also repeated and malformed ones', () => {
  expect(readTarget('/a?x=1&x=2&y&%zz=%41&a+b=c+d')?.query).toEqual([
    ['x', '1'],
    ['x', '2'],
    ['y', ''],
    ['%zz', 'A'],
    ['a b', 'c d'],
  ])
})

it.each([
  ['bytes=0-1', { first: 0, last: 1 }],
  ['bytes=5-', { first: 5, last: undefined }],
  ['bytes=-5', { first: undefined, last: 5 }],
  ['bytes=-', undefined],
  ['bytes=2-1', undefined],
  ['bytes=0-1,3-4', undefined],
  ['lines=0-1', undefined],
])('a range %s', (field, expected) => {
  expect(readRange(field)).toEqual(expected)
})
