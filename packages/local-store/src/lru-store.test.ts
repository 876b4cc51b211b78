import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { InvalidOptionError } from '@larder/core'
import type { LocalStore } from '@larder/core/store'
import { describe, expect, it } from 'vitest'
import { type LruStoreOptions, lruStore } from './lru-store.ts'

interface Entry {
  readonly number: number
}

function recorded(options?: LruStoreOptions): {
  readonly store: LocalStore<Entry>
  readonly dropped: string[]
} {
  const store = lruStore<Entry>(options)
  const dropped: string[] = []
  store.onDrop = (key, entry) => dropped.push(`${key}=${entry.number}`)
  return { store, dropped }
}

/** In a function of its own, whose frame would otherwise keep the last entry alive. */
function fill(store: LocalStore<Entry>, count: number): readonly WeakRef<Entry>[] {
  return Array.from({ length: count }, (_, number) => {
    const entry = { number }
    store.set(`k${number}`, entry, 1)
    return new WeakRef(entry)
  })
}

/** Runs a full collection, without a flag on the command line. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

describe('lruStore', () => {
  it('drops what was used longest ago, and only by get counts as used', () => {
    const { store, dropped } = recorded({ maxEntries: 3 })
    for (const number of [1, 2, 3]) store.set(`k${number}`, { number }, 1)
    store.get('k1')
    store.peek('k2')
    store.set('k4', { number: 4 }, 1)
    expect(dropped).toEqual(['k2=2'])
    expect([...store.keys()].sort()).toEqual(['k1', 'k3', 'k4'])
  })

  it('takes what was used without a get for as good as new, once', () => {
    const { store, dropped } = recorded({ maxEntries: 3 })
    const used = new Set([1, 2])
    store.askAboutUse?.(({ number }) => used.delete(number))
    for (const number of [1, 2, 3]) store.set(`k${number}`, { number }, 1)
    for (const number of [4, 5, 6]) store.set(`k${number}`, { number }, 1)
    expect(dropped).toEqual(['k3=3', 'k1=1', 'k2=2'])
  })

  it('asks about use also for bytes, and for every entry that a large one needs the room of', () => {
    const { store, dropped } = recorded({ maxBytes: 100 })
    const used = new Set([1, 3])
    store.askAboutUse?.(({ number }) => used.delete(number))
    for (const number of [1, 2, 3, 4]) store.set(`k${number}`, { number }, 25)
    store.set('k5', { number: 5 }, 50)
    expect(dropped).toEqual(['k2=2', 'k4=4'])
    store.set('k6', { number: 6 }, 101)
    store.set('k5', { number: 7 }, 50)
    expect(dropped).toEqual(['k2=2', 'k4=4'])
  })

  it('looks at so many that were used before it drops one of them, and at no more', () => {
    const { store, dropped } = recorded({ maxEntries: 1_000 })
    let looks = 0
    store.askAboutUse?.(() => {
      looks += 1
      return true
    })
    for (let number = 0; number <= 1_000; number++) store.set(`k${number}`, { number }, 1)
    expect([looks, dropped.length, store.size]).toEqual([64, 1, 1_000])
  })

  it('drops as many as a large entry needs room for', () => {
    const { store, dropped } = recorded({ maxEntries: 10, maxBytes: 100 })
    for (const number of [1, 2, 3, 4]) store.set(`k${number}`, { number }, 25)
    store.set('k5', { number: 5 }, 60)
    expect(dropped).toEqual(['k1=1', 'k2=2', 'k3=3'])
    expect([store.size, store.bytes]).toEqual([2, 85])
  })

  it('keeps an entry that fits exactly, and refuses one that is a byte too large', () => {
    const { store, dropped } = recorded({ maxBytes: 100 })
    store.set('k', { number: 1 }, 100)
    expect(store.get('k')?.number).toBe(1)
    store.set('k', { number: 2 }, 100.1)
    expect(store.get('k')).toBeUndefined()
    expect([dropped, store.bytes]).toEqual([[], 0])
  })

  it('asks for sizes only when it is bounded by bytes', () => {
    expect([lruStore().measuresBytes, lruStore({ maxBytes: '1mb' }).measuresBytes]).toEqual([
      false,
      true,
    ])
  })

  it('is bounded when nothing is said', () => {
    const { store, dropped } = recorded()
    for (let number = 0; number < 10_100; number++) store.set(`k${number}`, { number }, 1)
    expect([store.size, dropped.length]).toEqual([10_000, 100])
  })

  it('keeps no entry alive after clear or delete', async () => {
    const store = lruStore<Entry>({ maxEntries: 100 })
    const refs = fill(store, 100)
    store.delete('k0')
    store.clear()
    // A WeakRef keeps its target for the rest of the turn it was made in.
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([])
    expect(store.size).toBe(0)
  })

  it.each<[LruStoreOptions, string]>([
    [{ maxEntries: 0 }, 'lruStore.maxEntries takes a whole number from 1 to 16777216'],
    [{ maxEntries: 2 ** 24 + 1 }, 'lruStore.maxEntries'],
    [{ maxEntries: 1.5 }, 'lruStore.maxEntries'],
    [{ maxEntries: Number.POSITIVE_INFINITY }, 'lruStore.maxEntries'],
    [{ maxBytes: 0 }, 'lruStore.maxBytes'],
    [{ maxBytes: '64 mb' as '64mb' }, 'lruStore.maxBytes'],
    [{ maxEntrys: 5 } as LruStoreOptions, 'Did you mean maxEntries?'],
    [[] as LruStoreOptions, 'an options object'],
  ])('refuses %o', (options, message) => {
    const make = (): unknown => lruStore(options)
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(message)
  })
})
