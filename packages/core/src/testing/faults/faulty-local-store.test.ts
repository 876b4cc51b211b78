import { describe, expect, it } from 'vitest'
import type { LocalStore } from '../../contracts/local-store.ts'
import { faultyLocalStore } from './faulty-local-store.ts'

interface Entry {
  readonly number: number
}

function mapStore(): LocalStore<Entry> {
  const entries = new Map<string, Entry>()
  return {
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
  }
}

describe('faultyLocalStore', () => {
  it('throws in the operations named until it is healed', () => {
    const store = faultyLocalStore(mapStore())
    store.faults.fail({ on: 'get' })
    store.set('x', { number: 1 }, 1)
    expect(() => store.get('x')).toThrow('made to fail')
    expect(store.peek('x')?.number).toBe(1)
    store.faults.heal()
    expect(store.get('x')?.number).toBe(1)
  })

  it('ignores calls without a word', () => {
    const store = faultyLocalStore(mapStore())
    store.faults.ignore({ on: 'set', times: 1 })
    store.set('x', { number: 1 }, 1)
    store.set('y', { number: 2 }, 1)
    expect([...store.keys()]).toEqual(['y'])
    store.faults.ignore()
    expect([store.get('y'), store.delete('y'), [...store.keys()], store.size]).toEqual([
      undefined,
      false,
      [],
      1,
    ])
  })

  it('drops an entry as if for room', () => {
    const store = faultyLocalStore(mapStore())
    const dropped: string[] = []
    store.onDrop = (key, entry) => dropped.push(`${key}${entry.number}`)
    store.set('x', { number: 1 }, 1)
    expect([store.drop('x'), store.drop('x')]).toEqual([true, false])
    expect(dropped).toEqual(['x1'])
    expect(store.get('x')).toBeUndefined()
  })
})
