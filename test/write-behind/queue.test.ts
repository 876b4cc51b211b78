/** What a queue does with writes, wherever it is kept. */

import { KeyError, RejectedWriteError } from '@larder/core'
import { createWriteBehind, currentFlush } from '@larder/plugins/write-behind'
import { describe, expect, it, vi } from 'vitest'
import { openManager, openQueue, PLACES } from './support/stage.ts'

describe.each(PLACES)('a queue %s', (place) => {
  it('writes the last value of each key, together', async () => {
    const { queue, database } = openQueue(place)
    await queue.put('a', { page: 1 })
    await queue.putMany([
      ['a', { page: 2 }],
      ['b', { page: 7 }],
    ])
    expect(await queue.pending()).toMatchObject({ writes: 2, keys: 2, deadLetters: 0 })
    expect(database.batches).toEqual([])
    await queue.flush()
    expect(database.batches).toHaveLength(1)
    expect(database.get('a')).toEqual({ page: 2 })
    expect(database.get('b')).toEqual({ page: 7 })
    expect(await queue.pending()).toMatchObject({ writes: 0, keys: 0, oldestMs: 0 })
  })

  it.each([
    ['a long key', 'k'.repeat(201)],
    ['a lone surrogate', 'k\ud800'],
    ['what looks like a short form', `k#${'x'.repeat(43)}`],
  ])('refuses %s, which the writer would get as a digest', async (_, key) => {
    const { queue, database } = openQueue(place)
    await expect(queue.put(key, 1)).rejects.toThrow(KeyError)
    const writes = [
      ['a', 1],
      [key, 2],
    ] as const
    await expect(queue.putMany(writes)).rejects.toThrow(KeyError)
    await queue.put('k'.repeat(200), 3)
    await queue.flush()
    expect([...database.rows.keys()]).toEqual(['k'.repeat(200)])
  })

  it('writes by itself after a while', async () => {
    const { queue, database } = openQueue(place, { every: '5ms' })
    await queue.put('a', 1)
    await vi.waitFor(() => expect(database.get('a')).toBe(1))
  })

  it('writes a delete after a value, and a value after a delete', async () => {
    const { queue, database } = openQueue(place)
    await queue.put('a', 1)
    await queue.delete('a')
    await queue.flush()
    expect(database.rows.get('a')?.value).toBeUndefined()
    await queue.put('a', 2)
    await queue.flush()
    expect(database.get('a')).toBe(2)
    expect(database.stepsBack).toEqual([])
  })

  it('divides what waits into batches', async () => {
    const { queue, database } = openQueue(place, { batch: 3 })
    await queue.putMany(Array.from({ length: 8 }, (_, i) => [`k${i}`, i] as const))
    await queue.flush()
    expect(database.batches.map((batch) => batch.length)).toEqual([3, 3, 2])
  })

  it('merges the changes that wait, and never the same ones twice', async () => {
    const merge = vi.fn((older: { value: unknown }, newer: { value: unknown }) => {
      return Number(older.value) + Number(newer.value)
    })
    const { queue, database } = openQueue(place, { merge })
    await Promise.all([queue.merge('hits', 1), queue.merge('hits', 2), queue.merge('hits', 3)])
    let times = 0
    database.failing = () => {
      times += 1
      if (times === 1) throw new Error('away')
    }
    await queue.flush()
    expect(database.get('hits')).toBe(6)
    await queue.merge('hits', 4)
    await queue.flush()
    expect(database.get('hits')).toBe(10)
    const [older, newer] = merge.mock.calls[0] as unknown as [Versioned, Versioned]
    expect(newer.version).toBeGreaterThan(older.version)
  })

  it('leaves a write that came while its key was being written', async () => {
    const { queue, database } = openQueue(place)
    await queue.put('a', 'old')
    database.failing = async () => {
      database.failing = () => undefined
      await queue.put('a', 'new')
    }
    await queue.flush()
    await queue.flush()
    expect(database.batches).toEqual([['a'], ['a']])
    expect(database.get('a')).toBe('new')
    expect(await queue.pending()).toMatchObject({ writes: 0 })
    expect(database.stepsBack).toEqual([])
  })

  it('finds the bad one of a batch, writes the others, and keeps it as a dead letter', async () => {
    const { queue, database } = openQueue(place, { attempts: 3 })
    database.failing = (writes) => {
      if (writes.some(({ key }) => key === 'k5')) throw new Error('k5 is too long')
    }
    await queue.putMany(Array.from({ length: 16 }, (_, i) => [`k${i}`, i] as const))
    await queue.flush()
    expect(database.rows.size).toBe(15)
    const [letter, ...more] = await queue.deadLetters()
    expect(more).toEqual([])
    expect(letter).toMatchObject({
      key: 'k5',
      kind: 'value',
      value: 5,
      error: 'Error: k5 is too long',
      isOutdated: false,
    })
    expect(letter?.tries).toBeGreaterThanOrEqual(3)
    database.failing = () => undefined
    expect(await queue.replay(letter?.id ?? '')).toBe(true)
    await queue.flush()
    expect(database.get('k5')).toBe(5)
    expect(await queue.replay(letter?.id ?? '')).toBe(false)
  })

  it('buries at once what the writer rejects, and does not let it outdate a newer write', async () => {
    const { queue, database } = openQueue(place)
    database.failing = () => {
      throw new RejectedWriteError('no such user')
    }
    await queue.put('a', 'bad')
    await queue.flush()
    database.failing = () => undefined
    await queue.put('a', 'good')
    await queue.flush()
    const [letter] = await queue.deadLetters()
    expect(letter).toMatchObject({ isOutdated: true, tries: 1 })
    const id = letter?.id ?? ''
    await expect(queue.replay(id)).rejects.toMatchObject({ code: 'LARDER_WRITE_OUTDATED' })
    expect(await queue.discard(id)).toBe(true)
    expect(await queue.discard(id)).toBe(false)
    expect(database.get('a')).toBe('good')
  })

  it('takes a database that is away for no reason to bury anything', async () => {
    const { queue, database } = openQueue(place, { attempts: 1, batch: 64 })
    await queue.putMany(Array.from({ length: 64 }, (_, i) => [`k${i}`, i] as const))
    database.failing = () => {
      throw new Error('ECONNREFUSED')
    }
    await expect(queue.flush({ timeout: '150ms' })).rejects.toMatchObject({
      code: 'LARDER_WRITES_PENDING',
      pending: 64,
      cause: expect.objectContaining({ message: 'ECONNREFUSED' }),
    })
    // Not two calls for each write.
    const [longest] = database.batches.filter((batch) => batch.length === 64)
    const second = database.batches.indexOf(longest ?? [], 1)
    expect(database.batches.slice(0, Math.max(second, 1)).length).toBeLessThan(20)
    database.failing = () => undefined
    await queue.flush()
    expect(database.rows.size).toBe(64)
    expect(await queue.deadLetters()).toEqual([])
  })

  it('buries in the end what fails alone, where nothing else is written', async () => {
    const { queue, database } = openQueue(place, { deadAfter: '20ms' })
    database.failing = () => {
      throw new Error('no')
    }
    await queue.put('a', 1)
    await queue.flush()
    expect(await queue.deadLetters()).toMatchObject([{ key: 'a', error: 'Error: no' }])
  })

  it('refuses what is beyond the most that may wait', async () => {
    const { queue } = openQueue(place, { maxPending: 2 })
    await queue.put('a', 1)
    await queue.put('b', 1)
    await expect(queue.put('c', 1)).rejects.toMatchObject({ code: 'LARDER_WRITE_QUEUE_FULL' })
    await queue.put('a', 2)
    expect(await queue.pending()).toMatchObject({ writes: 2 })
  })

  it('waits for room where it is told to', async () => {
    const { queue, database } = openQueue(place, { maxPending: 1, onFull: 'wait', every: '1ms' })
    await Promise.all([queue.put('a', 1), queue.put('b', 2), queue.put('c', 3)])
    await queue.flush()
    expect([...database.rows.keys()].sort()).toEqual(['a', 'b', 'c'])
  })

  it('writes through where it is told to, in the order of the key', async () => {
    const { queue, database } = openQueue(place, { maxPending: 1, onFull: 'write-through' })
    await queue.put('a', 1)
    await queue.put('b', 2)
    expect(database.get('b')).toBe(2)
    expect(database.contexts.at(-1)?.fence).toEqual(expect.any(Number))
  })

  it('gives the writer a fence and a signal, also behind its back', async () => {
    const { queue, database } = openQueue(place)
    let seen: unknown
    database.failing = () => {
      seen = currentFlush()
    }
    await queue.put('a', 1)
    await queue.flush()
    expect(seen).toBe(database.contexts[0])
    expect(database.contexts[0]?.signal.aborted).toBe(false)
    expect(() => currentFlush()).toThrow(/writer of a write-behind queue/)
  })

  it('gives up a writer that is too slow, and writes again under a higher fence', async () => {
    const { queue, database } = openQueue(place, { writeTimeout: '20ms' })
    database.failing = () => {
      database.failing = () => undefined
      return new Promise(() => undefined)
    }
    await queue.put('a', 1)
    await queue.flush()
    const [slow, other] = database.contexts
    expect(slow?.signal.reason).toMatchObject({ name: 'TimeoutError' })
    expect(other?.fence).toBeGreaterThan(slow?.fence ?? Number.POSITIVE_INFINITY)
    expect(database.get('a')).toBe(1)
  })

  it('writes what waits when the manager closes, and refuses more', async () => {
    const { queue, database, caches } = openQueue(place, { drain: '5s' })
    await queue.put('a', 1)
    await caches.close()
    expect(database.get('a')).toBe(1)
    await expect(queue.put('b', 1)).rejects.toMatchObject({ code: 'LARDER_CLOSED' })
  })

  it('refuses a second queue of one name, and what is no option', () => {
    const caches = openManager(place)
    createWriteBehind(caches, { name: 'progress' })
    expect(() => createWriteBehind(caches, { name: 'progress' })).toThrow(/no other queue/)
    expect(() => createWriteBehind(caches, { name: 'b', batch: 0 })).toThrow(
      /createWriteBehind\.batch/,
    )
    expect(() => createWriteBehind(caches, { name: 'b', evry: 1 } as never)).toThrow(/every/)
  })
})

interface Versioned {
  readonly version: number
}
