/** `@WriteBehind` in both decorator modes, on queues in process. */

import { Cacheable, type CacheManager, createCacheManager, describeClass } from '@larder/core'
import { lruStore } from '@larder/local-store'
import {
  createWriteBehind,
  currentFlush,
  openWriteBehind,
  WriteBehind,
  type WrittenWrite,
} from '@larder/plugins/write-behind'
import { describe, expect, it, onTestFinished } from 'vitest'

interface Reading {
  readonly user: string
  readonly page: number
}

function startManager(): CacheManager {
  const caches = createCacheManager({ namespace: 'shop', local: lruStore(), logger: false })
  onTestFinished(() => caches.close())
  return caches
}

const keyOf = (reading: Reading): string => reading.user

class Progress {
  readonly rows = new Map<string, unknown>()
  readonly fences: unknown[] = []
  loads = 0

  @WriteBehind({ queue: 'progress', key: keyOf, write: 'saveAll', cache: 'progress', drain: '1s' })
  async save(reading: Reading): Promise<string> {
    if (reading.page < 0) throw new RangeError('no such page')
    return `${reading.user} is queued`
  }

  @WriteBehind({ queue: 'progress', key: (user: string) => user, kind: 'delete' })
  async forget(_user: string): Promise<void> {}

  @Cacheable({ cache: 'progress', key: (user: string) => user, behind: 'progress' })
  async find(user: string): Promise<unknown> {
    this.loads += 1
    return this.rows.get(user) ?? null
  }

  async saveAll(writes: readonly WrittenWrite<Reading>[]): Promise<void> {
    this.fences.push(currentFlush().fence)
    for (const { key, value } of writes) this.rows.set(key, value)
  }
}

describe('@WriteBehind', () => {
  it('queues the argument, gives the result, and writes by the named method', async () => {
    const caches = startManager()
    const progress = new Progress()
    expect(await progress.save({ user: 'ada', page: 1 })).toBe('ada is queued')
    await progress.save({ user: 'ada', page: 2 })
    expect(progress.rows.size).toBe(0)
    expect(await progress.find('ada')).toEqual({ user: 'ada', page: 2 })
    expect(progress.loads).toBe(0)
    await caches.close()
    expect([...progress.rows]).toEqual([['ada', { user: 'ada', page: 2 }]])
    expect(progress.fences).toEqual([expect.any(Number)])
  })

  it('queues nothing when the method throws', async () => {
    const caches = startManager()
    const progress = new Progress()
    await expect(progress.save({ user: 'ada', page: -1 })).rejects.toThrow('no such page')
    await caches.close()
    expect(progress.rows.size).toBe(0)
  })

  it('queues deletes, in a queue that was opened', async () => {
    const caches = startManager()
    await expect(new Progress().forget('ada')).rejects.toThrow(/openWriteBehind/)
    const progress = openWriteBehind(new Progress())
    await progress.save({ user: 'ada', page: 1 })
    await progress.forget('ada')
    expect(await progress.find('ada')).toBeUndefined()
    await caches.close()
    expect([...progress.rows]).toEqual([['ada', undefined]])
  })

  it('uses a queue that was made without it, and the value that it is told', async () => {
    const caches = startManager()
    const rows: unknown[] = []
    const queue = createWriteBehind<unknown>(caches, {
      name: 'names',
      write: async (writes) => void rows.push(...writes.map(({ key, value }) => [key, value])),
    })
    class Names {
      @WriteBehind({ queue: 'names', key: 'user:{0}', value: (_id: number, name: string) => name })
      async rename(_id: number, _name: string): Promise<void> {}
    }
    await new Names().rename(7, 'Ada')
    await queue.flush()
    expect(rows).toEqual([['user:7', 'Ada']])
  })

  it('is among the operations of its class', () => {
    const save = describeClass(Progress).methods.find(({ name }) => name === 'save')
    expect(save?.operations).toMatchObject([{ kind: 'write-behind' }])
  })

  it.each<[string, object, RegExp]>([
    ['no key', { queue: 'q' }, /@WriteBehind\.key/],
    ['a wrong name', { queue: 'a b', key: '{0}' }, /@WriteBehind\.queue/],
    ['a wrong kind', { queue: 'q', key: '{0}', kind: 'upsert' }, /@WriteBehind\.kind/],
    ['an unknown option', { queue: 'q', key: '{0}', wirte: 'x' }, /write/],
  ])('refuses %s', (_, options, message) => {
    expect(() => WriteBehind(options as never)).toThrow(message)
  })

  it('rejects calls whose writer is no method', async () => {
    startManager()
    class Broken {
      @WriteBehind({ queue: 'broken', key: '{0}', write: 'saveAll' })
      async save(_id: string): Promise<void> {}
    }
    await expect(new Broken().save('a')).rejects.toThrow(/write takes the name of a method/)
  })
})
