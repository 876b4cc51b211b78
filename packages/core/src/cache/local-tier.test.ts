import { describe, expect, it } from 'vitest'
import type { LocalStore } from '../contracts/local-store.ts'
import { LocalEntry } from '../entry/local-entry.ts'
import type { Stamp } from '../entry/stamp.ts'
import { LocalTier, type Shortcuts } from './local-tier.ts'

const stamp: Stamp = { partition: 7, birth: 5, known: 5, seq: 1, generation: 1, changes: 1 }
const frame = { before: 'C.m:', after: '#' }
const newEntry = () => new LocalEntry('value', [], stamp, stamp.birth, 0, 0)

/** A tier over a map, with shortcuts by key and by argument. */
function tierOf(store: Partial<LocalStore<LocalEntry>> = {}) {
  const entries = new Map<string, LocalEntry>()
  const whole: LocalStore<LocalEntry> = {
    name: 'map',
    measuresBytes: false,
    bytes: 0,
    get size() {
      return entries.size
    },
    get: (key) => entries.get(key),
    peek: (key) => entries.get(key),
    set: (key, entry) => void entries.set(key, entry),
    delete: (key) => entries.delete(key),
    clear: () => entries.clear(),
    keys: () => entries.keys(),
    askAboutUse: () => undefined,
    ...store,
  }
  const tier = new LocalTier(whole)
  const dropped: string[] = []
  tier.open((key) => dropped.push(key))
  const shortcuts = tier.shortcutsTo('c') as Shortcuts
  const byArgument = shortcuts?.byArgument(frame) ?? new Map()
  /** Holds an entry under a key, and one under an argument, and shortcuts to both. */
  const add = (text: string): void => {
    const [one, other] = [newEntry(), newEntry()]
    tier.set(`c:${text}`, one, 0)
    tier.set(`c:C.m:'${text}#`, other, 0)
    shortcuts.addKey(text, `c:${text}`, one, tier.size)
    shortcuts.addArgument(text, `c:C.m:'${text}#`, other, { frame, most: tier.size })
  }
  const known = () => [[...shortcuts.byKey.keys()], [...byArgument.keys()]]
  return { tier, whole, entries, shortcuts, byArgument, dropped, add, known }
}

describe('shortcuts', () => {
  it('lead to what is held', () => {
    const { tier, shortcuts, byArgument, add, known } = tierOf()
    for (const text of ['x', '', 'a long one, of its own']) add(text)
    for (const text of ['x', '', 'a long one, of its own']) {
      expect(shortcuts.byKey.get(text)).toBe(tier.peek(`c:${text}`))
      expect(byArgument.get(text)).toBe(tier.peek(`c:C.m:'${text}#`))
    }
    expect(known()[0]).toHaveLength(3)
  })

  const ENDS: Readonly<Record<string, (world: ReturnType<typeof tierOf>, key: string) => unknown>> =
    {
      deleted: ({ tier }, key) => tier.delete(key),
      replaced: ({ tier }, key) => tier.set(key, newEntry(), 0),
      dropped: ({ whole }, key) => whole.onDrop?.(key, newEntry()),
    }

  it.each(Object.keys(ENDS))('end when an entry is %s, and no other does', (end) => {
    const world = tierOf()
    for (const text of ['x', 'y']) world.add(text)
    ENDS[end]?.(world, 'c:x')
    expect(world.known()).toEqual([['y'], ['x', 'y']])
    ENDS[end]?.(world, "c:C.m:'x#")
    expect(world.known()).toEqual([['y'], ['y']])
  })

  it('end before a store fails to delete or to replace', () => {
    const fail = () => {
      throw new Error('down')
    }
    const { tier, whole, add, known } = tierOf()
    add('x')
    Object.assign(whole, { delete: fail, set: fail })
    expect(() => tier.delete('c:x')).toThrow('down')
    expect(() => tier.set("c:C.m:'x#", newEntry(), 0)).toThrow('down')
    expect(known()).toEqual([[], []])
  })

  it('end when the tier is cleared or closed', () => {
    const { tier, add, known } = tierOf()
    add('x')
    tier.clear()
    expect(known()).toEqual([[], []])
    add('x')
    tier.close()
    expect(known()).toEqual([[], []])
  })

  it('are none to another cache, to a key of another shape or to an argument that its key does not tell', () => {
    const { shortcuts, known } = tierOf()
    shortcuts.addKey('x', 'c:y', newEntry(), 10)
    shortcuts.addKey('x', 'd:x', newEntry(), 10)
    for (const [argument, key] of [
      ['x', "c:C.m:'y#"],
      [1, "c:C.m:'1#"],
      ['1', 'c:C.m:(1,#'],
      ['x', "c:C.n:'x#"],
      ['x', "c:C.m:'x"],
      [Number.NaN, 'c:C.m:(NaN,#'],
    ] as const) {
      shortcuts.addArgument(argument, key, newEntry(), { frame, most: 10 })
    }
    expect(known()).toEqual([[], []])
  })

  it('never outnumber the entries, though a store forget some without a word', () => {
    const { entries, shortcuts, byArgument, add } = tierOf()
    for (let i = 0; i < 1_000; i++) {
      add(`k${i}`)
      if (entries.size > 10) entries.clear()
      expect(shortcuts.byKey.size).toBeLessThanOrEqual(20)
      expect(byArgument.size).toBeLessThanOrEqual(20)
    }
  })

  it('are there only where the store asks about use', () => {
    const { tier } = tierOf()
    expect(tier.shortcutsTo('c')).toBe(tier.shortcutsTo('c'))
    expect(tierOf({ askAboutUse: undefined }).shortcuts).toBeUndefined()
  })
})

describe('the store', () => {
  it('is told whether an entry was used since it last asked', () => {
    let wasUsed: ((entry: LocalEntry) => boolean) | undefined
    tierOf({
      askAboutUse: (ask) => {
        wasUsed = ask
      },
    })
    const entry = newEntry()
    entry.isUsed = true
    expect([wasUsed?.(entry), wasUsed?.(entry)]).toEqual([true, false])
  })

  it('is heard until the tier is closed', () => {
    const { tier, whole, dropped } = tierOf()
    whole.onDrop?.('c:x', newEntry())
    tier.close()
    expect(dropped).toEqual(['c:x'])
    expect(whole.onDrop).toBeUndefined()
  })
})
