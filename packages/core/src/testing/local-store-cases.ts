/** What every local store must do. */

import assert from 'node:assert/strict'
import type { LocalStore } from '../contracts/local-store.ts'
import type { ConformanceCase } from './cases.ts'

/** Makes an empty store of at most this many entries. */
export type MakeLocalStore = (maxEntries: number) => LocalStore<{ readonly n: number }>

/** The conformance suite of `LocalStore`. */
export function localStoreCases(make: MakeLocalStore): readonly ConformanceCase[] {
  const fact = (
    name: string,
    check: (store: ReturnType<MakeLocalStore>) => void,
  ): ConformanceCase => ({
    name,
    run: async () => check(make(3)),
  })
  return [
    fact('returns the very object that was stored', (store) => {
      const entry = { n: 1 }
      store.set('a', entry, 10)
      assert.equal(store.get('a'), entry)
      assert.equal(store.peek('a'), entry)
      assert.equal(store.get('b'), undefined)
    }),
    fact('replaces and deletes', (store) => {
      store.set('a', { n: 1 }, 10)
      store.set('a', { n: 2 }, 10)
      assert.equal(store.get('a')?.n, 2)
      assert.equal(store.size, 1)
      assert.equal(store.delete('a'), true)
      assert.equal(store.delete('a'), false)
      assert.equal(store.get('a'), undefined)
    }),
    fact('never holds more than its bound, and reports what it drops for room', (store) => {
      const dropped: string[] = []
      store.onDrop = (key) => dropped.push(key)
      for (let n = 0; n < 10; n++) store.set(`k${n}`, { n }, 10)
      assert.equal(store.size, 3)
      assert.equal([...store.keys()].length, 3)
      assert.equal(dropped.length, 7)
    }),
    fact('does not report deletes, overwrites and clears as drops', (store) => {
      const dropped: string[] = []
      store.onDrop = (key) => dropped.push(key)
      store.set('a', { n: 1 }, 10)
      store.set('a', { n: 2 }, 10)
      store.delete('a')
      store.set('b', { n: 3 }, 10)
      store.clear()
      assert.deepEqual(dropped, [])
      assert.equal(store.size, 0)
      assert.equal(store.get('b'), undefined)
    }),
    fact('keeps keys apart that a prototype could confuse', (store) => {
      assert.equal(store.get('__proto__'), undefined)
      assert.equal(store.get('constructor'), undefined)
      store.set('__proto__', { n: 1 }, 10)
      assert.equal(store.get('__proto__')?.n, 1)
    }),
  ]
}
