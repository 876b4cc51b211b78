/** Loads beside a queue: what is queued and not written is what they return, by whatever path. */

import { setImmediate } from 'node:timers/promises'
import { Cacheable, CacheConfig, type CacheManager, cached } from '@larder/core'
import { describe, expect, it } from 'vitest'
import { openQueue, PLACES, type Stage } from './support/stage.ts'

const BESIDE = { behind: 'progress' } as const

function open(place: (typeof PLACES)[number], options = {}): Stage & { load: Load } {
  const stage = openQueue(place, { cache: 'rows', ...options })
  const loads: string[] = []
  const load = Object.assign(
    async (key: string): Promise<unknown> => {
      loads.push(key)
      return stage.database.get(key) ?? null
    },
    { loads },
  )
  return { ...stage, load }
}

type Load = ((key: string) => Promise<unknown>) & { readonly loads: readonly string[] }

/** Forgets what is cached, so that the next read loads. */
async function forget(caches: CacheManager): Promise<void> {
  await caches.clear()
}

describe.each(PLACES)('beside a queue %s', (place) => {
  it('a load returns what waits, keeps it, and asks the source only for the rest', async () => {
    const { caches, queue, load } = open(place)
    const rows = caches.cache('rows', BESIDE)
    await queue.put('a', 'new')
    await forget(caches)
    expect(await rows.getOrLoad('a', () => load('a'))).toBe('new')
    expect(await rows.get('a')).toBe('new')
    expect(load.loads).toEqual([])
    await queue.flush()
    await forget(caches)
    expect(await rows.getOrLoad('a', () => load('a'))).toBe('new')
    expect(load.loads).toEqual(['a'])
  })

  it('a read after the write needs no load at all', async () => {
    const { caches, queue, load } = open(place)
    const rows = caches.cache('rows', BESIDE)
    expect(await rows.getOrLoad('a', () => load('a'))).toBe(null)
    await queue.put('a', 'new')
    expect(await rows.getOrLoad('a', () => load('a'))).toBe('new')
    expect(load.loads).toEqual(['a'])
  })

  it('a delete that waits is a row that is not there', async () => {
    const { caches, queue, load, database } = open(place)
    const rows = caches.cache('rows', BESIDE)
    database.rows.set('a', { value: 'old', version: 1 })
    await queue.delete('a')
    expect(await rows.getOrLoad('a', () => load('a'))).toBeUndefined()
    expect(load.loads).toEqual([])
  })

  it('a load of many returns what waits of each, and loads the others together', async () => {
    const { caches, queue, load } = open(place)
    const rows = caches.cache('rows', BESIDE)
    await queue.putMany([
      ['a', 1],
      ['c', 3],
    ])
    await forget(caches)
    const asked: (readonly unknown[])[] = []
    const found = await rows.getManyOrLoad(['a', 'b', 'c', 'd'], async (missing) => {
      asked.push(missing)
      return Promise.all(missing.map((key) => load(String(key))))
    })
    expect(found).toEqual([1, null, 3, null])
    expect(asked).toEqual([['b', 'd']])
    const all = await rows.getManyOrLoad(['a', 'c'], () => Promise.reject(new Error('no load')))
    expect(all).toEqual([1, 3])
  })

  it('a refresh returns what waits', async () => {
    const { caches, queue, load, database } = open(place)
    const rows = caches.cache('rows', BESIDE)
    database.rows.set('a', { value: 'old', version: 1 })
    await queue.put('a', 'new')
    expect(await rows.refresh('a', () => load('a'))).toBe('new')
    expect(load.loads).toEqual([])
  })

  it('warming puts what waits in the place of what it is given', async () => {
    const { caches, queue } = open(place)
    const rows = caches.cache('rows', BESIDE)
    await queue.put('a', 'new')
    await rows.warm([
      ['a', 'old'],
      ['b', 'b'],
    ])
    expect(await rows.getMany(['a', 'b'])).toEqual(['new', 'b'])
  })

  it('decorated methods return what waits, one by one and as lists, and when they are loaded anew', async () => {
    const { caches, queue, load, database } = open(place)
    @CacheConfig({ manager: () => caches })
    class Rows {
      @Cacheable({ cache: 'rows', key: (id: string) => id, behind: 'progress' })
      async find(id: string): Promise<unknown> {
        return load(id)
      }

      @Cacheable({ cache: 'rows', behind: 'progress', each: { key: (id: string) => id } })
      async findAll(ids: readonly string[]): Promise<unknown[]> {
        return Promise.all(ids.map((id) => load(id)))
      }
    }
    const rows = new Rows()
    database.rows.set('a', { value: 'old', version: 1 })
    await queue.put('a', 'new')
    await forget(caches)
    expect(await rows.find('a')).toBe('new')
    await forget(caches)
    expect(await rows.findAll(['a', 'b'])).toEqual(['new', null])
    expect(await cached(rows, 'find').refresh('a')).toBe('new')
    expect(load.loads).toEqual(['b'])
  })

  it('a method without a key of its own is refused', async () => {
    const { caches } = open(place)
    @CacheConfig({ manager: () => caches })
    class Rows {
      @Cacheable({ behind: 'progress' })
      async find(id: string): Promise<string> {
        return id
      }
    }
    await expect(new Rows().find('a')).rejects.toThrow(/key, the same as that of the writes/)
  })

  it('what is queued while a load runs ends what it would have kept', async () => {
    const { caches, queue, database } = open(place)
    const rows = caches.cache('rows', BESIDE)
    database.rows.set('a', { value: 'old', version: 1 })
    const read = await rows.getOrLoad('a', async () => {
      const old = database.get('a')
      await queue.put('a', 'new')
      return old
    })
    expect(read).toBe('old')
    expect(await rows.getOrLoad('a', () => database.get('a'))).toBe('new')
  })

  it('changes that wait are written first', async () => {
    const merge = (older: { value: unknown }, newer: { value: unknown }): unknown =>
      Number(older.value) + Number(newer.value)
    const { caches, queue, load, database } = open(place, { merge })
    const rows = caches.cache('rows', BESIDE)
    database.rows.set('hits', { value: 40, version: 1 })
    await queue.merge('hits', 1)
    await queue.merge('hits', 1)
    expect(await rows.getOrLoad('hits', () => load('hits'))).toBe(42)
    expect(await rows.get('hits')).toBe(42)
  })

  it('while changes cannot be written, nothing that is loaded is kept', async () => {
    const { caches, queue, load, database } = open(place, {
      merge: (older: { value: unknown }, newer: { value: unknown }) =>
        Number(older.value) + Number(newer.value),
    })
    const rows = caches.cache('rows', BESIDE)
    database.rows.set('hits', { value: 40, version: 1 })
    database.failing = () => {
      throw new Error('away')
    }
    await queue.merge('hits', 2)
    expect(await rows.getOrLoad('hits', () => load('hits'))).toBe(40)
    expect(await rows.get('hits')).toBeUndefined()
    database.failing = () => undefined
    await queue.flush()
    expect(await rows.getOrLoad('hits', () => load('hits'))).toBe(42)
  })

  it('a dead letter is no longer what is read', async () => {
    const { caches, queue, load, database } = open(place, { deadAfter: '1ms' })
    const rows = caches.cache('rows', BESIDE)
    database.rows.set('a', { value: 'old', version: 1 })
    database.failing = () => {
      throw new Error('no')
    }
    await queue.put('a', 'bad')
    expect(await rows.getOrLoad('a', () => load('a'))).toBe('bad')
    await queue.flush()
    expect(await rows.getOrLoad('a', () => load('a'))).toBe('old')
  })

  it('pendingValue makes what a load returns', async () => {
    const { caches, queue, load } = open(place, { cache: undefined })
    const rows = caches.cache('names', {
      ...BESIDE,
      pendingValue: (row: { name: string } | undefined) => row?.name ?? null,
    })
    await queue.put('a', { name: 'Ada' })
    expect(await rows.getOrLoad('a', () => load('a'))).toBe('Ada')
    await queue.delete('a')
    expect(await rows.refresh('a', () => load('a'))).toBe(null)
  })

  it('a read never returns less than what was queued before it, whatever else runs', async () => {
    const { caches, queue, load, database } = open(place, { every: '1ms', batch: 2 })
    const rows = caches.cache('rows', BESIDE)
    const keys = ['a', 'b', 'c']
    const queued = new Map(keys.map((key) => [key, 0]))
    const faults: string[] = []
    let isOver = false
    const write = async (key: string): Promise<void> => {
      for (let n = 1; n <= 40; n++) {
        await queue.put(key, n)
        queued.set(key, n)
      }
    }
    const read = async (key: string): Promise<void> => {
      while (!isOver) {
        const before = queued.get(key) ?? 0
        const found = Number((await rows.getOrLoad(key, () => load(key))) ?? 0)
        if (found < before) faults.push(`${key}: ${found} after ${before}`)
        if (found % 3 === 0) await rows.evict(key)
        // A local hit waits for nothing, and would keep the writers from running.
        await setImmediate()
      }
    }
    const reading = keys.map(read)
    await Promise.all(keys.map(write))
    isOver = true
    await Promise.all(reading)
    await queue.flush()
    expect(faults).toEqual([])
    expect(keys.map((key) => database.get(key))).toEqual([40, 40, 40])
    expect(database.stepsBack).toEqual([])
  })
})
