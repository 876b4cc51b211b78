/** What is cached of queued writes is what the queue has, whoever else queues the same keys. */

import { setImmediate } from 'node:timers/promises'
import type { Cache } from '@larder/core'
import type { CodecStep, Plugin } from '@larder/core/store'
import { createWriteBehind, type WriteQueue } from '@larder/plugins/write-behind'
import { describe, expect, it } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { openManager, openQueue, PLACES } from './support/stage.ts'

const BESIDE = { behind: 'progress' } as const
const ROUNDS = 100

/** Takes longer for some values, so that a later write could overtake an earlier one. */
function slowStep(): Plugin {
  const step: CodecStep = {
    id: 77,
    name: 'slow',
    encode: async (bytes) => {
      if (bytes.length > 100) for (let i = 0; i < 20; i++) await setImmediate()
      return undefined
    },
    decode: (bytes) => bytes,
  }
  return { name: 'slow', codecSteps: [step] }
}

interface End {
  readonly rows: Cache<unknown>
  readonly queue: WriteQueue<unknown>
}

it('of two processes that queue one key at the same time, none leaves the older value cached', async () => {
  const namespace = freshNamespace()
  const [one, other, looking] = ['a', 'b', 'c'].map(() => {
    const caches = openManager('on Redis', { namespace })
    const rows = caches.cache<unknown>('rows', BESIDE)
    const options = { name: 'progress', cache: 'rows', every: '1h', drain: 0 } as const
    return { rows, queue: createWriteBehind<unknown>(caches, options) }
  }) as [End, End, End]
  const faults: string[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const key = `k${i}`
    await Promise.all([one.queue.put(key, 'one'), other.queue.put(key, 'other')])
    // It has nothing of this key yet: what it gets is what the store has.
    const cached = await looking.rows.getOrLoad(key, () => 'loaded')
    await looking.rows.evict(key)
    const queued = await looking.rows.getOrLoad(key, () => 'loaded')
    if (cached !== queued) faults.push(`${key}: ${cached}, and ${queued} waits`)
  }
  expect(faults).toEqual([])
})

describe.each(PLACES)('what is cached of a queue %s', (place) => {
  it('writes of one key are queued as they were asked for, however long each takes to encode', async () => {
    const { caches, queue } = openQueue(place, { cache: 'rows' }, { plugins: [slowStep()] })
    const rows = caches.cache<unknown>('rows', BESIDE)
    await Promise.all([queue.put('a', 'x'.repeat(1_000)), queue.put('a', 'last')])
    await Promise.all([queue.put('b', 'x'.repeat(1_000)), queue.delete('b')])
    for (let i = 0; i < 2; i++) {
      expect(await rows.getOrLoad('a', () => 'loaded')).toBe('last')
      expect(await rows.getOrLoad('b', () => 'loaded')).toBeUndefined()
      await caches.clear()
    }
  })

  it('of a list with one key twice, the last value is cached', async () => {
    const { caches, queue } = openQueue(place, { cache: 'rows' })
    const rows = caches.cache<unknown>('rows', BESIDE)
    await queue.putMany([
      ['a', 1],
      ['a', 2],
    ])
    expect(await rows.get('a')).toBe(2)
  })

  it('what the caller changes after the call is neither queued nor cached', async () => {
    const { caches, queue } = openQueue(place, { cache: 'rows' })
    const rows = caches.cache<unknown>('rows', BESIDE)
    const value = { page: 12 }
    const key = ['a', 1]
    const queued = queue.put(key, value)
    value.page = 99
    key[1] = 2
    await queued
    expect(await rows.get(['a', 1])).toEqual({ page: 12 })
    await caches.clear()
    expect(await rows.getOrLoad(['a', 1], () => 'loaded')).toEqual({ page: 12 })
  })
})
