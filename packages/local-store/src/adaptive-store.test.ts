import { InvalidOptionError } from '@larder/core'
import type { LocalStore } from '@larder/core/store'
import { describe, expect, it } from 'vitest'
import { type Random, randomFrom, withSeed } from '../../../test/support/seed.ts'
import { type AdaptiveStoreOptions, adaptiveStore } from './adaptive-store.ts'

interface Entry {
  readonly number: number
  /** Whether it was used since the store last asked. */
  used: boolean
}

/** A store that asks about use, as the engine has it. */
function asking(options?: AdaptiveStoreOptions): LocalStore<Entry> {
  const store = adaptiveStore<Entry>(options)
  store.askAboutUse?.((entry) => {
    const { used } = entry
    entry.used = false
    return used
  })
  return store
}

/** Reads a key as the engine does; returns whether it was there. */
function read(store: LocalStore<Entry>, key: string, bytes = 1): boolean {
  const entry = store.peek(key)
  if (entry === undefined) store.set(key, { number: 0, used: false }, bytes)
  else entry.used = true
  return entry !== undefined
}

/** Share of hits among reads of these keys. */
function share(store: LocalStore<Entry>, keys: readonly string[]): number {
  return keys.filter((key) => read(store, key)).length / keys.length
}

/** Popular keys that scans of keys nobody asks for again go past. */
function scans(rounds: number, popular: number): readonly string[] {
  return Array.from({ length: rounds }, (_, round) => [
    ...Array.from({ length: popular }, (_, i) => `popular${i}`),
    ...Array.from({ length: 100 }, (_, i) => `once${round}.${i}`),
  ]).flat()
}

describe('adaptiveStore', () => {
  it('drops what was used longest ago while nothing speaks for another order', () => {
    const store = asking({ maxEntries: 4 })
    for (const key of ['a', 'b', 'c', 'd']) read(store, key)
    read(store, 'a')
    read(store, 'e')
    expect([...store.keys()].sort()).toEqual(['a', 'c', 'd', 'e'])
  })

  it('keeps popular keys that scans go past, after it has seen that this is the load', () => {
    const store = asking({ maxEntries: 100 })
    share(store, scans(20, 60))
    expect(share(store, scans(20, 60))).toBeGreaterThan(0.36)
  })

  it('goes back to what was used last when popularity has moved on', () => {
    const store = asking({ maxEntries: 100 })
    share(store, scans(20, 60))
    // Each key is asked for a few times, soon after the first, and then never again.
    const recent = Array.from({ length: 5_000 }, (_, i) => [`new${i}`, `new${Math.max(0, i - 30)}`])
    share(store, recent.slice(0, 2_500).flat())
    expect(share(store, recent.slice(2_500).flat())).toBeGreaterThan(0.48)
  })

  it('keeps what it has learned when it is emptied', () => {
    const store = asking({ maxEntries: 100 })
    share(store, scans(20, 60))
    store.clear()
    expect([store.size, store.bytes, [...store.keys()]]).toEqual([0, 0, []])
    expect(share(store, scans(5, 60))).toBeGreaterThan(0.2)
  })

  it('looks at few of those that were used before it drops one of them', () => {
    const store = adaptiveStore<Entry>({ maxEntries: 10_000 })
    let looks = 0
    store.askAboutUse?.(() => {
      looks += 1
      return true
    })
    const dropped: string[] = []
    store.onDrop = (key) => dropped.push(key)
    for (let number = 0; number < 10_000; number++)
      store.set(`k${number}`, { number, used: true }, 1)
    looks = 0
    store.set('one more', { number: 0, used: true }, 1)
    expect(dropped).toHaveLength(1)
    expect(looks).toBeLessThan(400)
  })

  it('keeps an entry that fits exactly, and refuses one that is a byte too large', () => {
    const store = asking({ maxBytes: 100 })
    read(store, 'k', 100)
    expect(store.bytes).toBe(100)
    store.set('k', { number: 2, used: false }, 100.1)
    expect([store.get('k'), store.bytes, store.size]).toEqual([undefined, 0, 0])
  })

  it('asks for sizes only when it is bounded by bytes, and is bounded when nothing is said', () => {
    const store = asking()
    expect([store.measuresBytes, asking({ maxBytes: '1mb' }).measuresBytes]).toEqual([false, true])
    for (let i = 0; i < 10_100; i++) read(store, `k${i}`)
    expect(store.size).toBe(10_000)
  })

  it('may be called by the listener of its drops', () => {
    const store = asking({ maxEntries: 3 })
    const dropped: string[] = []
    store.onDrop = (key) => {
      dropped.push(key)
      if (dropped.length < 20) read(store, `again${dropped.length}`)
    }
    for (let i = 0; i < 10; i++) read(store, `k${i}`)
    expect(store.size).toBe(3)
    expect(dropped).toHaveLength(10 + 19 - 3)
  })

  it.each<[AdaptiveStoreOptions, string]>([
    [{ maxEntries: 0 }, 'adaptiveStore.maxEntries takes a whole number from 1 to 16777216'],
    [{ maxEntries: 1.5 }, 'adaptiveStore.maxEntries'],
    [{ maxBytes: 0 }, 'adaptiveStore.maxBytes'],
    [{ maxEntrys: 5 } as AdaptiveStoreOptions, 'Did you mean maxEntries?'],
    [[] as AdaptiveStoreOptions, 'an options object'],
  ])('refuses %o', (options, message) => {
    const make = (): unknown => adaptiveStore(options)
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(message)
  })
})

interface Limits {
  readonly maxEntries: number
  readonly maxBytes?: number
}

/** Not `expect`, which would take nearly all of the time. */
function same(one: unknown, other: unknown): void {
  if (one !== other) throw new Error(`${String(one)} is not ${String(other)}`)
}

/** A plain map of what must be there: what was set, less what was deleted, cleared, refused or told as dropped. */
class Model {
  readonly held = new Map<string, { readonly entry: Entry; readonly bytes: number }>()
  readonly limits: Limits
  steps = 0

  constructor(limits: Limits) {
    this.limits = limits
  }

  get bytes(): number {
    return [...this.held.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

describe('adaptiveStore beside a plain map', () => {
  it.each<Limits>([
    { maxEntries: 1 },
    { maxEntries: 2, maxBytes: 60 },
    { maxEntries: 7 },
    { maxEntries: 40 },
    { maxEntries: 1_000, maxBytes: 300 },
    { maxEntries: 20, maxBytes: 200 },
    { maxEntries: 60, maxBytes: 900 },
  ])('loses nothing it does not tell, and never exceeds its bounds: %o', async (limits) => {
    await withSeed((random) => {
      for (let history = 0; history < 40; history++) playHistory(random, limits)
    })
  })
})

it('adaptiveStore makes room where an entry that only one order keeps is replaced by a larger one', () => {
  // Histories in which one is.
  for (const seed of [150, 201, 309])
    playHistory(randomFrom(seed), { maxEntries: 60, maxBytes: 900 })
})

function playHistory(random: Random, limits: Limits): void {
  const model = new Model(limits)
  const store = asking(limits)
  store.onDrop = (key, entry) => {
    same(model.held.get(key)?.entry, entry)
    model.held.delete(key)
  }
  for (let step = 0; step < 2_000; step++) {
    takeStep(random, store, model)
    expectWithin(store, limits)
    if (step % 10 === 0) expectSame(store, model)
  }
}

function takeStep(random: Random, store: LocalStore<Entry>, model: Model): void {
  const { held } = model
  model.steps += 1
  const key = drawKey(random, model)
  const action = random.int(100)
  if (action < 2) {
    same(store.delete(key), held.delete(key))
  } else if (action === 2 && random.chance(0.02)) {
    store.clear()
    held.clear()
  } else if (action < 10) {
    same(store.get(key), held.get(key)?.entry)
  } else {
    const entry = store.peek(key)
    same(entry, held.get(key)?.entry)
    if (entry === undefined || action < 30) setBoth(random, store, model, key)
    else entry.used = true
  }
}

/** Popular keys, a loop, and new keys and recent ones, in turn, so that each of the orders comes to lead. */
function drawKey(random: Random, { steps, limits: { maxEntries } }: Model): string {
  const room = Math.min(maxEntries, 60)
  const phase = Math.floor(steps / 400) % 3
  if (phase === 0) return `popular${random.int(1 + random.int(2 * room))}`
  if (phase === 1) return `loop${steps % (room + 5)}`
  return `new${random.chance(0.5) ? steps : steps - random.int(room)}`
}

function setBoth(random: Random, store: LocalStore<Entry>, model: Model, key: string): void {
  const entry = { number: model.steps, used: false }
  const bytes = 1 + random.int(random.chance(0.1) ? 320 : 20)
  // Before the store has it, which may drop it at once.
  if (bytes > (model.limits.maxBytes ?? bytes)) model.held.delete(key)
  else model.held.set(key, { entry, bytes })
  store.set(key, entry, bytes)
}

function expectWithin({ size, bytes }: LocalStore<Entry>, { maxEntries, maxBytes }: Limits): void {
  if (size > maxEntries || bytes > (maxBytes ?? 0))
    throw new Error(`${size} entries of ${bytes} bytes are held`)
}

function expectSame(store: LocalStore<Entry>, model: Model): void {
  same(store.size, model.held.size)
  if (store.measuresBytes) same(store.bytes, model.bytes)
  if (model.steps % 500 < 10)
    expect([...store.keys()].sort()).toEqual([...model.held.keys()].sort())
}
