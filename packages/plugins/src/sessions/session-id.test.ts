import { isTagOfUser, tagOfUser } from '@larder/core/store'
import { describe, expect, it } from 'vitest'
import { idIn, makeId, parseId, placeUnder } from './session-id.ts'

const NOW = 1_796_000_000_000
const TAG = tagOfUser('shop', 'web', 'ada')

describe('an id', () => {
  it('says when it was made, and leads to the tag of its user', () => {
    const id = makeId(NOW, TAG)
    expect(parseId(id, false)).toEqual({
      id,
      home: { tag: TAG, name: id.slice(TAG.length + 1), madeAt: NOW },
    })
    expect(isTagOfUser(TAG)).toBe(true)
  })

  it('of nobody has a tag of its own each time, and never that of a user', () => {
    const tags = Array.from({ length: 100 }, () => parseId(makeId(NOW, undefined), false)?.home.tag)
    expect(new Set(tags).size).toBe(100)
    for (const tag of tags) expect(isTagOfUser(tag ?? 'u')).toBe(false)
  })

  it('is of one form until the year 4000', () => {
    for (const year of [1970, 2038, 2039, 4000]) {
      const at = Date.UTC(year, 5)
      expect(parseId(makeId(at, undefined), false)?.home.madeAt).toBe(at)
    }
  })

  it.each([
    undefined,
    null,
    7,
    {},
    '',
    'connect.sid',
    `${makeId(NOW, TAG)}x`,
    makeId(NOW, TAG).slice(1),
    makeId(NOW, TAG).replace('~', '.'),
    makeId(NOW, TAG).replace(/^u/, 'f'),
    makeId(NOW, TAG).toUpperCase(),
    ` ${makeId(NOW, TAG)}`,
    `${makeId(NOW, TAG)}\n`,
    makeId(0, TAG),
  ])('is none of these: %s', (id) => {
    expect(parseId(id, false)).toBeUndefined()
  })

  it('that others made has a place of its own, and comes back from a list', () => {
    for (const id of ['abc', ':{}', 'ü ☃', '~', 'a.b~c', 'x'.repeat(200), '☃'.repeat(66)]) {
      const parsed = parseId(id, true)
      const { tag, name } = placeUnder(parsed ?? never(), TAG)
      expect(name).toMatch(/^[\w.~-]{1,300}$/)
      expect(idIn(tag, name)).toBe(id)
      expect(isTagOfUser(parsed?.home.tag ?? 'u')).toBe(false)
    }
  })

  it('that others made is none where its name would be too long for a store', () => {
    for (const id of ['x'.repeat(201), '☃'.repeat(67), 'x'.repeat(1_000_000)])
      expect(parseId(id, true)).toBeUndefined()
  })

  it('that was moved comes back from a list as well, and so does one at home', () => {
    const [moved, home] = [makeId(NOW, undefined), makeId(NOW, TAG)]
    for (const id of [moved, home]) {
      const { tag, name } = placeUnder(parseId(id, false) ?? never(), TAG)
      expect(idIn(tag, name)).toBe(id)
    }
  })
})

it('a tag tells users, sessions and namespaces apart, and nothing of their names', () => {
  const tags = [
    tagOfUser('shop', 'web', 'ada'),
    tagOfUser('shop', 'web', 'adb'),
    tagOfUser('shop', 'staff', 'ada'),
    tagOfUser('crm', 'web', 'ada'),
    tagOfUser('shop', 'weba', 'da'),
    tagOfUser('sho', 'pweb', 'ada'),
  ]
  expect(new Set(tags).size).toBe(6)
  for (const tag of tags) expect(tag).toMatch(/^u[\w-]{16}$/)
})

function never(): never {
  throw new Error('It is an id')
}
