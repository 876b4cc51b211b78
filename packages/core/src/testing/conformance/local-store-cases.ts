/** The conformance suite of local stores. */

import assert from 'node:assert/strict'
import type { LocalStore } from '../../contracts/local-store.ts'
import { type CaseOutcome, type ConformanceCase, PASSED, skippedFor } from './conformance-case.ts'

/** What the suite stores: objects whose identity it can check. */
export interface TestEntry {
  readonly number: number
}

/** Makes an empty store with these bounds; `maxBytes` is asked of stores that measure only. */
export type MakeLocalStore = (bounds: {
  readonly maxEntries: number
  readonly maxBytes?: number
}) => LocalStore<TestEntry>

type Check = (make: MakeLocalStore) => CaseOutcome | undefined

const AWKWARD_KEYS = [
  '',
  'a:b',
  '__proto__',
  'constructor',
  'ü ☃ 🦊',
  'line\nbreak',
  'x'.repeat(10_000),
]

const CASES: Readonly<Record<string, Check>> = {
  'finds nothing where nothing is'(make) {
    const store = make({ maxEntries: 10 })
    assert.equal(store.get('x'), undefined)
    assert.equal(store.peek('x'), undefined)
    assert.equal(store.delete('x'), false)
    assert.equal(store.size, 0)
    assert.equal(store.bytes, 0)
    return undefined
  },
  'hands out the very object that was stored, by get and by peek'(make) {
    const store = make({ maxEntries: 10 })
    const entry = { number: 1 }
    store.set('x', entry, 100)
    assert.strictEqual(store.get('x'), entry)
    assert.strictEqual(store.peek('x'), entry)
    assert.equal(store.size, 1)
    return undefined
  },
  'replaces an entry, and counts it once'(make) {
    const store = make({ maxEntries: 10 })
    store.set('x', { number: 1 }, 100)
    store.set('x', { number: 2 }, 40)
    assert.equal(store.get('x')?.number, 2)
    assert.equal(store.size, 1)
    if (store.measuresBytes) assert.equal(store.bytes, 40)
    return undefined
  },
  deletes(make) {
    const store = make({ maxEntries: 10 })
    store.set('x', { number: 1 }, 100)
    store.set('y', { number: 2 }, 100)
    assert.equal(store.delete('x'), true)
    assert.equal(store.get('x'), undefined)
    assert.equal(store.get('y')?.number, 2)
    assert.deepEqual([...store.keys()], ['y'])
    return undefined
  },
  'takes any text for a key'(make) {
    const store = make({ maxEntries: 100 })
    for (const key of AWKWARD_KEYS) assert.equal(store.get(key), undefined)
    for (const [number, key] of AWKWARD_KEYS.entries()) store.set(key, { number }, 100)
    for (const [number, key] of AWKWARD_KEYS.entries()) assert.equal(store.get(key)?.number, number)
    assert.deepEqual(new Set(store.keys()), new Set(AWKWARD_KEYS))
    return undefined
  },
  'never holds more entries than it may, and reports each one it drops'(make) {
    const store = make({ maxEntries: 10 })
    const dropped = recordDrops(store)
    for (let number = 0; number < 200; number++) {
      store.set(`k${number}`, { number }, 100)
      assert(store.size <= 10, `${store.size} entries are held`)
    }
    const held = new Set(store.keys())
    assert.equal(held.size, store.size)
    assert(held.size > 0)
    assert.equal(dropped.size, 200 - held.size)
    for (const [key, entry] of dropped) {
      assert.equal(`k${entry.number}`, key)
      assert.equal(held.has(key), false)
    }
    return undefined
  },
  'reports no deletes, replacements or clears as drops'(make) {
    const store = make({ maxEntries: 10 })
    const dropped = recordDrops(store)
    store.set('x', { number: 1 }, 100)
    store.set('x', { number: 2 }, 100)
    store.delete('x')
    store.set('y', { number: 3 }, 100)
    store.clear()
    assert.equal(dropped.size, 0)
    return undefined
  },
  'tells only the last listener, and none when it was taken away'(make) {
    const store = make({ maxEntries: 1 })
    const first = recordDrops(store)
    const second = recordDrops(store)
    store.set('x', { number: 1 }, 100)
    store.set('y', { number: 2 }, 100)
    assert.deepEqual([first.size, second.size], [0, 1])
    store.onDrop = undefined
    store.set('z', { number: 3 }, 100)
    assert.equal(second.size, 1)
    return undefined
  },
  'asks about use before it drops, and drops what was not used'(make) {
    const store = make({ maxEntries: 10 })
    if (store.askAboutUse === undefined) return skippedFor(`${store.name} sees every use`)
    const dropped = recordDrops(store)
    const used = new Set<TestEntry>()
    store.askAboutUse((entry) => used.delete(entry))
    const often = { number: -1 }
    store.set('often', often, 100)
    for (let number = 0; number < 200; number++) {
      used.add(often)
      store.set(`k${number}`, { number }, 100)
      assert.strictEqual(store.peek('often'), often)
    }
    assert.equal(dropped.size, 201 - store.size)
    for (let number = 0; number < 40; number++) store.set(`late${number}`, { number }, 100)
    assert.equal(store.peek('often'), undefined)
    return undefined
  },
  'drops something for room though everything was used'(make) {
    const store = make({ maxEntries: 10 })
    if (store.askAboutUse === undefined) return skippedFor(`${store.name} sees every use`)
    const dropped = recordDrops(store)
    store.askAboutUse(() => true)
    for (let number = 0; number < 50; number++) store.set(`k${number}`, { number }, 100)
    assert(store.size <= 10, `${store.size} entries are held`)
    assert.equal(dropped.size, 50 - store.size)
    return undefined
  },
  'is empty after clear, and works on'(make) {
    const store = make({ maxEntries: 10 })
    for (let number = 0; number < 10; number++) store.set(`k${number}`, { number }, 100)
    store.clear()
    assert.equal(store.size, 0)
    assert.equal(store.bytes, 0)
    assert.deepEqual([...store.keys()], [])
    assert.equal(store.get('k1'), undefined)
    store.set('k1', { number: 99 }, 100)
    assert.equal(store.get('k1')?.number, 99)
    return undefined
  },
  'never holds more bytes than it may'(make) {
    const store = make({ maxEntries: 1_000, maxBytes: 1_000 })
    if (!store.measuresBytes) return skippedFor(`${store.name} does not measure bytes`)
    const dropped = recordDrops(store)
    for (let number = 0; number < 100; number++) {
      store.set(`k${number}`, { number }, 90)
      assert(store.bytes <= 1_000, `${store.bytes} bytes are held`)
      assert.equal(store.bytes, store.size * 90)
    }
    assert.equal(dropped.size, 100 - store.size)
    return undefined
  },
  'refuses an entry larger than itself, and forgets the older one of that key'(make) {
    const store = make({ maxEntries: 1_000, maxBytes: 1_000 })
    if (!store.measuresBytes) return skippedFor(`${store.name} does not measure bytes`)
    store.set('x', { number: 1 }, 100)
    store.set('y', { number: 2 }, 100)
    store.set('x', { number: 3 }, 1_001)
    assert.equal(store.get('x'), undefined)
    assert.equal(store.get('y')?.number, 2)
    assert.deepEqual([store.size, store.bytes], [1, 100])
    return undefined
  },
  'takes sizes of any kind without losing count'(make) {
    const store = make({ maxEntries: 1_000, maxBytes: 10_000 })
    for (const [number, bytes] of [0, 0.4, 1.5, 99.999].entries()) {
      store.set(`k${number}`, { number }, bytes)
      assert.equal(store.get(`k${number}`)?.number, number)
    }
    assert(Number.isFinite(store.bytes))
    for (const key of [...store.keys()]) store.delete(key)
    assert.equal(store.bytes, 0)
    return undefined
  },
}

/**
 * Returns the cases a local store must pass.
 *
 * @param makeStore is called once per case.
 * @example runCases(localStoreCases((bounds) => lruStore(bounds)), { test })
 */
export function localStoreCases(makeStore: MakeLocalStore): readonly ConformanceCase[] {
  return Object.entries(CASES).map(([name, check]) => ({
    name,
    run: async () => check(makeStore) ?? PASSED,
  }))
}

function recordDrops(store: LocalStore<TestEntry>): ReadonlyMap<string, TestEntry> {
  const dropped = new Map<string, TestEntry>()
  store.onDrop = (key, entry) => {
    dropped.set(key, entry)
  }
  return dropped
}
