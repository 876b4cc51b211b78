import { describe, expect, it, vi } from 'vitest'
import { softTag, tagBehind } from './soft-tags.ts'
import { cacheTag, EVERYTHING, missingOf, partitionTag, TagClock, tagName } from './tag-clock.ts'

const CACHE = cacheTag('c')
const PARTITION = 7

function newClock(cap?: number) {
  const onChange = vi.fn()
  const tags = new TagClock(onChange, cap)
  const bump = (tag: string | readonly string[], previous: number, version: number, floor = 0) =>
    tags.applyBump([tag].flat(), { previous, version, floor })
  const stands = (birth: number, ...of: readonly string[]) =>
    tags.allows(birth, CACHE, PARTITION, of)
  return { tags, onChange, bump, stands }
}

describe('names in the table', () => {
  it.each([
    ['plain', 'plain'],
    ['a*b', 'a*b'],
    ['*', '\\*'],
    ['*all', '\\*all'],
    ['@c', '\\@c'],
    ['%7', '\\%7'],
    ['\\*', '\\\\*'],
    ['\n*', '\n*'],
  ])('the tag %j is %j', (tag, name) => {
    expect(tagName(tag)).toBe(name)
  })

  it('of a cache, of a partition and of everything are no tag of a user', () => {
    const ours = [cacheTag('c'), partitionTag(7), EVERYTHING]
    expect(ours).toEqual(['@c', '%7', '*'])
    expect(ours.map(tagName)).toEqual(['\\@c', '\\%7', '\\*'])
  })
})

describe('an entry stands', () => {
  it('while nothing is known', () => {
    expect(newClock().stands(0, 't')).toBe(true)
  })

  it.each([
    ['a tag of its own', 't'],
    ['its cache', CACHE],
    ['its partition', partitionTag(PARTITION)],
    ['everything', EVERYTHING],
  ])('until %s is invalidated after its birth', (_, tag) => {
    const { bump, stands } = newClock()
    bump(tag, 0, 10)
    expect([stands(9, 's', 't'), stands(10, 's', 't'), stands(11, 's', 't')]).toEqual([
      false,
      true,
      true,
    ])
  })

  it.each([
    ['another tag', 'u'],
    ['another cache', cacheTag('d')],
    ['another partition', partitionTag(PARTITION + 1)],
  ])('whatever happens to %s', (_, tag) => {
    const { bump, stands } = newClock()
    bump(tag, 0, 10)
    expect(stands(0, 't')).toBe(true)
  })

  it('unless it was born below the floor', () => {
    const { bump, stands } = newClock()
    bump('t', 0, 10, 5)
    expect([stands(4), stands(5)]).toEqual([false, true])
  })
})

describe('a soft eviction', () => {
  it('has a name that no tag of a user has, and that says what it is about', () => {
    for (const tag of ['t', '~t', '\\~t', '\\', '*', '']) {
      expect(tagBehind(softTag(tagName(tag)))).toBe(tagName(tag))
      expect(tagBehind(tagName(tag))).toBe(tagName(tag))
    }
  })

  it.each([
    ['a tag of its own', 't'],
    ['its cache', CACHE],
    ['everything', EVERYTHING],
  ])('of %s makes an entry born before it a fallback, and takes it from nobody', (_, tag) => {
    const { tags, bump, stands } = newClock()
    const softens = (birth: number) => tags.softens(birth, CACHE, ['s', 't'])
    expect(softens(0)).toBe(false)
    bump(softTag(tag), 0, 10)
    expect([softens(9), softens(10), softens(11), stands(9, 't')]).toEqual([
      true,
      false,
      false,
      true,
    ])
    bump(tag, 10, 12)
    expect([stands(11, 't'), softens(11)]).toEqual([false, false])
  })

  it.each([
    ['another tag', 'u'],
    ['another cache', cacheTag('d')],
  ])('of %s changes nothing for it', (_, tag) => {
    const { tags, bump } = newClock()
    bump(softTag(tag), 0, 10)
    bump('t', 10, 20)
    expect(tags.softens(0, CACHE, ['t'])).toBe(false)
  })

  it('holds here before the store knows of it', () => {
    const { tags, bump, stands } = newClock()
    bump('s', 0, 10)
    tags.invalidateHere([softTag('t')])
    expect([tags.softens(10, CACHE, ['t']), stands(10, 't')]).toEqual([true, true])
    expect(tags.softens(tags.now, CACHE, ['t'])).toBe(false)
  })

  it('stands higher here than in the store where this clock has run ahead', () => {
    const { tags, bump } = newClock()
    bump('s', 0, 10)
    for (let i = 0; i < 8; i++) tags.invalidateHere(['u'])
    const birth = tags.now
    bump(softTag('t'), 10, 11)
    expect(birth).toBeGreaterThan(11)
    expect([tags.softens(birth, CACHE, ['t']), tags.since(10)]).toEqual([
      true,
      [[softTag('t'), 11]],
    ])
  })

  it('is found by a range read, and missing where the store lost it', () => {
    const { tags } = newClock()
    tags.applyChanges({ version: 12, floor: 0, tags: [[softTag('t'), 12]] })
    expect(tags.softens(11, CACHE, ['t'])).toBe(true)
    const lost = { version: 5, floor: 0, tags: [] }
    expect(missingOf(tags.since(5), lost)).toEqual([softTag('t')])
  })

  it('is covered by a floor above it, like any', () => {
    const { tags, bump, stands } = newClock(2)
    bump(softTag('t'), 0, 10)
    bump('u', 10, 20, 15)
    expect([tags.softens(9, CACHE, ['t']), stands(9, 't'), tags.size]).toEqual([false, false, 1])
  })
})

describe('an invalidation here', () => {
  it('holds at once, for what was born so far, and what is born later stands', () => {
    const { tags, stands, onChange, bump } = newClock()
    bump('s', 0, 10)
    const before = tags.now
    tags.invalidateHere(['t'])
    expect([stands(before, 't'), stands(tags.now, 't')]).toEqual([false, true])
    expect(onChange).toHaveBeenCalledTimes(2)
  })

  it('is below what the store mints next, and is not taken for something the store knows', () => {
    const { tags, bump, stands } = newClock()
    bump('s', 0, 10)
    tags.invalidateHere(['t'])
    const between = tags.now
    expect([tags.confirmed, between > 10, between < 11]).toEqual([10, true, true])
    expect(tags.since(0)).toEqual([['s', 10]])
    bump('t', 10, 11)
    expect(stands(between, 't')).toBe(false)
    expect(tags.since(10)).toEqual([['t', 11]])
  })
})

describe('a step of the store', () => {
  it('that follows on what is known is applied', () => {
    const { tags, bump, onChange } = newClock()
    expect(bump(['t', 'u'], 0, 10)).toBe('applied')
    expect(bump('t', 10, 12, 3)).toBe('applied')
    expect([tags.now, tags.confirmed, tags.floor, tags.size]).toEqual([12, 12, 3, 2])
    expect(onChange).toHaveBeenCalledTimes(2)
  })

  it('that is known changes nothing', () => {
    const { tags, bump, onChange } = newClock()
    bump('t', 0, 10)
    expect([bump('u', 0, 10, 4), bump('u', 3, 9, 4)]).toEqual(['known', 'known'])
    expect([tags.confirmed, tags.floor, tags.size]).toEqual([10, 0, 1])
    expect(onChange).toHaveBeenCalledTimes(1)
  })

  it('after a gap holds, but only a range read confirms', () => {
    const { tags, bump, stands } = newClock()
    bump('s', 0, 10)
    expect(bump('t', 11, 12)).toBe('gap')
    expect([tags.confirmed, stands(11, 't'), stands(12, 't')]).toEqual([10, false, true])
    tags.applyChanges({ version: 12, floor: 0, tags: [['u', 11]] })
    expect([tags.confirmed, stands(10, 'u'), stands(tags.now, 'u')]).toEqual([12, false, true])
  })

  it('never takes a provisional version back', () => {
    const { tags, bump } = newClock()
    for (let i = 0; i < 8; i++) tags.invalidateHere(['t'])
    const { now } = tags
    bump('u', 0, 1)
    expect([tags.now > now, tags.confirmed]).toEqual([true, 1])
  })

  it('never takes a version of a tag back', () => {
    const { tags, bump, stands } = newClock()
    bump('t', 11, 12)
    tags.applyChanges({ version: 12, floor: 0, tags: [['t', 11]] })
    expect(stands(11, 't')).toBe(false)
  })
})

describe('a range read', () => {
  it('that says nothing new is no change', () => {
    const { tags, bump, onChange } = newClock()
    bump('t', 0, 10)
    tags.applyChanges({ version: 11, floor: 0, tags: [] })
    expect([tags.now, tags.confirmed]).toEqual([11, 11])
    expect(onChange).toHaveBeenCalledTimes(1)
  })

  it('that is late takes nothing back', () => {
    const { tags, bump } = newClock()
    bump('t', 0, 10)
    tags.applyChanges({ version: 9, floor: 0, tags: [] })
    expect([tags.now, tags.confirmed]).toEqual([10, 10])
  })

  it.each([
    ['a tag', { version: 11, floor: 0, tags: [['u', 11]] as const }],
    ['a floor', { version: 11, floor: 3, tags: [] }],
  ])('with %s is a change', (_, changes) => {
    const { tags, bump, onChange } = newClock()
    bump('t', 0, 10)
    tags.applyChanges(changes)
    expect(onChange).toHaveBeenCalledTimes(2)
  })
})

describe('the floor', () => {
  it('covers what was invalidated up to it, and never falls', () => {
    const { tags, bump } = newClock()
    bump('t', 0, 10)
    bump('u', 10, 11)
    bump('v', 11, 12, 10)
    expect([tags.floor, tags.size]).toEqual([10, 2])
    bump('w', 12, 13, 4)
    expect([tags.floor, tags.size]).toEqual([10, 3])
  })

  it('rises over the oldest tags when there are too many', () => {
    const { tags, bump, stands } = newClock(4)
    for (let i = 1; i <= 4; i++) bump(`t${i}`, i - 1, i)
    expect([tags.floor, tags.size]).toEqual([0, 4])
    bump('t5', 4, 5)
    expect([tags.floor, tags.size]).toEqual([4, 1])
    expect([stands(3, 'x'), stands(4, 'x'), stands(4, 't5')]).toEqual([false, true, false])
  })

  it('rises by age, not by the order in which tags became known', () => {
    const { tags } = newClock(4)
    const known = [9, 8, 7, 6, 5].map((version) => [`t${version}`, version] as const)
    tags.applyChanges({ version: 9, floor: 0, tags: known })
    expect([tags.floor, tags.since(0)]).toEqual([8, [['t9', 9]]])
  })

  it('rises over evictions that only this node knows, too', () => {
    const { tags, stands } = newClock(2)
    tags.invalidateHere(['a', 'b', 'c'])
    expect([stands(0, 'x'), stands(tags.now, 'a')]).toEqual([false, true])
  })
})

it('a head behind what was confirmed means that the store lost history', () => {
  const { tags, bump } = newClock()
  bump('t', 0, 10)
  const heads = [9, 10, 11].map((version) => tags.isAhead({ version, floor: 0 }))
  expect(heads).toEqual([true, false, false])
})

it('what the store minted is listed from a version on', () => {
  const { tags, bump } = newClock()
  bump('t', 0, 10)
  bump('u', 10, 11)
  expect([tags.since(9), tags.since(10), tags.since(11)]).toEqual([
    [
      ['t', 10],
      ['u', 11],
    ],
    [['u', 11]],
    [],
  ])
})

it('what the store no longer knows is missing, unless its floor covers it', () => {
  const invalidated = [
    ['kept', 10],
    ['newer', 11],
    ['older', 12],
    ['lost', 13],
    ['covered', 5],
    ['edge', 6],
  ] as const
  const changes = {
    version: 20,
    floor: 6,
    tags: [
      ['kept', 10],
      ['newer', 15],
      ['older', 11],
    ] as const,
  }
  expect(missingOf(invalidated, changes)).toEqual(['older', 'lost'])
})

describe('provisional versions that run ahead of the store', () => {
  const MINTED = 100

  it('a version minted below what was born here invalidates it all the same', () => {
    const clock = new TagClock(() => undefined)
    clock.applyChanges({ version: MINTED, floor: 0, tags: [] })
    for (let n = 0; n < 12; n++) clock.invalidateHere(['mine'])
    const birth = clock.now
    expect(birth).toBeGreaterThan(MINTED + 1)
    clock.applyBump(['theirs'], { previous: MINTED, version: MINTED + 1, floor: 0 })
    expect(clock.allows(birth, '@c', 0, ['theirs'])).toBe(false)
    expect(clock.allows(clock.now, '@c', 0, ['theirs'])).toBe(true)
    expect([clock.confirmed, clock.since(MINTED)]).toEqual([MINTED + 1, [['theirs', MINTED + 1]]])
  })

  it('so does one that a range read brings', () => {
    const clock = new TagClock(() => undefined)
    clock.applyChanges({ version: MINTED, floor: 0, tags: [] })
    for (let n = 0; n < 12; n++) clock.invalidateHere(['mine'])
    const birth = clock.now
    clock.applyChanges({
      version: MINTED + 2,
      floor: 0,
      tags: [
        ['b', MINTED + 2],
        ['a', MINTED + 1],
      ],
    })
    expect(clock.allows(birth, '@c', 0, ['a'])).toBe(false)
    expect(clock.allows(birth, '@c', 0, ['b'])).toBe(false)
    expect(clock.allows(clock.now, '@c', 0, ['a', 'b'])).toBe(true)
    expect(clock.mintedFor('a')).toBe(MINTED + 1)
  })

  it('so does one below a later one that is known, which may be of a history that was lost', () => {
    const clock = new TagClock(() => undefined)
    clock.applyChanges({ version: MINTED, floor: 0, tags: [] })
    clock.applyBump(['b'], { previous: MINTED + 2, version: MINTED + 9, floor: 0 })
    const birth = clock.now
    expect(clock.allows(birth, '@c', 0, ['b'])).toBe(true)
    clock.applyChanges({ version: MINTED + 9, floor: 0, tags: [['a', MINTED + 2]] })
    expect(clock.allows(birth, '@c', 0, ['a'])).toBe(false)
    expect(clock.allows(clock.now, '@c', 0, ['a'])).toBe(true)
  })

  it.each([
    ['an invalidation', 'a'],
    ['a soft eviction', softTag('a')],
  ])('what was born elsewhere is judged by what the store minted: %s', (_, tag) => {
    const clock = new TagClock(() => undefined)
    clock.applyChanges({ version: MINTED, floor: 0, tags: [] })
    clock.applyBump(['b'], { previous: MINTED + 2, version: MINTED + 9, floor: 0 })
    const own = clock.now
    clock.applyChanges({ version: MINTED + 9, floor: 0, tags: [[tag, MINTED + 2]] })
    const stands = (birth: number): boolean =>
      clock.allows(birth, '@c', 0, ['a']) && !clock.softens(birth, '@c', ['a'])
    const births = [MINTED + 1, MINTED + 2, MINTED + 9, own, clock.now]
    expect(births.map(stands)).toEqual([false, true, true, false, true])
    // Until the store knows of it, an invalidation of this node holds for all that it has heard of.
    clock.invalidateHere([tag])
    expect([MINTED + 9, clock.now].map(stands)).toEqual([false, true])
  })

  it('what is born while versions are missing is not born at a whole number', () => {
    const clock = new TagClock(() => undefined)
    clock.applyChanges({ version: MINTED, floor: 0, tags: [] })
    expect(clock.now).toBe(MINTED)
    clock.applyBump(['b'], { previous: MINTED + 2, version: MINTED + 9, floor: 0 })
    expect(Number.isInteger(clock.now)).toBe(false)
    clock.applyChanges({ version: MINTED + 10, floor: 0, tags: [] })
    expect(clock.now).toBe(MINTED + 10)
    clock.applyBump(['b'], { previous: MINTED + 12, version: MINTED + 13, floor: 0 }, true)
    expect(Number.isInteger(clock.now)).toBe(false)
  })

  it('are never whole numbers, which the store could mint', () => {
    const clock = new TagClock(() => undefined)
    clock.applyChanges({ version: MINTED, floor: 0, tags: [] })
    for (let n = 0; n < 12; n++) {
      clock.invalidateHere(['mine'])
      expect(Number.isInteger(clock.now)).toBe(false)
    }
    expect(clock.mintedFor('mine')).toBe(0)
  })
})

describe('a step that nobody but a message speaks of', () => {
  const heard = () => {
    const clock = new TagClock(() => undefined)
    clock.applyChanges({ version: 10, floor: 0, tags: [['t', 9]] })
    expect(clock.applyBump(['t'], { previous: 11, version: 12, floor: 12 }, true)).toBe('gap')
    return clock
  }

  it('invalidates, and is no knowledge of the store', () => {
    const clock = heard()
    expect([clock.allows(11, '@c', 0, ['t']), clock.allows(clock.now, '@c', 0, ['t'])]).toEqual([
      false,
      true,
    ])
    expect([clock.confirmed, clock.floor, clock.since(0)]).toEqual([10, 0, [['t', 9]]])
  })

  it('becomes knowledge by a range read', () => {
    const clock = heard()
    clock.applyChanges({ version: 12, floor: 0, tags: [['t', 12]] })
    expect([clock.confirmed, clock.mintedFor('t'), clock.allows(12, '@c', 0, ['t'])]).toEqual([
      12,
      12,
      true,
    ])
  })

  it('does not hide what the store mints below it', () => {
    const clock = heard()
    const birth = clock.now
    clock.applyBump(['u'], { previous: 10, version: 11, floor: 0 }, true)
    expect(clock.allows(birth, '@c', 0, ['u'])).toBe(false)
    expect(clock.allows(clock.now, '@c', 0, ['u'])).toBe(true)
  })

  it('that follows on what is known is knowledge', () => {
    const clock = new TagClock(() => undefined)
    clock.applyChanges({ version: 10, floor: 0, tags: [] })
    expect(clock.applyBump(['t'], { previous: 10, version: 11, floor: 0 }, true)).toBe('applied')
    expect([clock.confirmed, clock.mintedFor('t')]).toEqual([11, 11])
  })
})
