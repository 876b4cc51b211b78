/** Evictions by what the method returned, callbacks that answer too late, and the entries behind a method from inside its class. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  type CacheManager,
  CachePut,
  cached,
  createCacheManager,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forced } from './support/forced.ts'

let caches: CacheManager
beforeEach(() => {
  caches = createCacheManager({ namespace: 'by-result', local: lruStore() })
})
afterEach(() => caches.close())

interface Moved {
  readonly from: string
  readonly to: string
}

@CacheConfig({ cache: 'rows' })
class Rows {
  loads: string[] = []

  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<string> {
    this.loads.push(id)
    return id
  }

  @CacheEvict({ keyOf: (id: string | undefined) => id })
  async takeNext(id?: string): Promise<string | undefined> {
    return id
  }

  @CacheEvict({
    keysOf: ({ from, to }: Moved) => [from, to],
    conditionOf: ({ from, to }: Moved, _from: string) => from !== to,
  })
  async move(from: string, to: string): Promise<Moved> {
    return { from, to }
  }

  @Cacheable({ cache: 'hidden', key: (id: string) => id })
  private async hidden(id: string): Promise<string> {
    this.loads.push(`hidden ${id}`)
    return id
  }

  async changed(id: string): Promise<void> {
    await cached(this, 'find').evict(id)
    await cached(this, this.hidden).evict(id)
  }

  readHidden(id: string): Promise<string> {
    return this.hidden(id)
  }
}

describe('@CacheEvict by the result', () => {
  it('evicts the key or keys that it gives, and none for undefined', async () => {
    const rows = new Rows()
    await Promise.all(['a', 'b', 'c'].map((id) => rows.find(id)))
    await rows.takeNext()
    await rows.takeNext('a')
    await rows.move('b', 'c')
    await Promise.all(['a', 'b', 'c'].map((id) => rows.find(id)))

    expect(rows.loads).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
  })

  it('asks conditionOf when there is a result', async () => {
    const rows = new Rows()
    await rows.find('a')
    await rows.move('a', 'a')
    await rows.find('a')

    expect(rows.loads).toEqual(['a'])
  })

  it.each([
    [{ when: 'before', keyOf: () => 'a' }, /@CacheEvict\.keyOf takes when: 'after'/],
    [{ when: 'before', all: true, conditionOf: () => true }, /@CacheEvict\.conditionOf takes/],
    [{ all: true, key: '{0}' }, /@CacheEvict\.key takes nothing beside all/],
    [{ keyOf: 7 }, /@CacheEvict\.keyOf takes a function/],
  ])('refuses what cannot be: %o', (options, message) => {
    expect(() => {
      class Wrong {
        @forced(CacheEvict(options as never))
        async run(): Promise<void> {}
      }
      void Wrong
    }).toThrow(message)
  })
})

describe('cached() inside the class', () => {
  it('takes a name, and a private method itself', async () => {
    const rows = new Rows()
    await rows.find('a')
    await rows.readHidden('a')
    await rows.changed('a')
    await rows.find('a')
    await rows.readHidden('a')

    expect(rows.loads).toEqual(['a', 'hidden a', 'a', 'hidden a'])
    expect(() => cached(rows, rows.changed as never)).toThrow(/cached\(changed\) takes the name/)
  })
})

describe('a callback that answers with a promise', () => {
  const later = async (): Promise<boolean> => false

  it.each([
    ['condition', () => Cacheable({ condition: later as never })],
    ['unless', () => Cacheable({ unless: later as never })],
    ['tags', () => Cacheable({ tags: later as never })],
    ['ttl', () => Cacheable({ ttl: later as never })],
    ['key', () => Cacheable({ key: later as never })],
    ['each.by', () => Cacheable({ each: { key: '{0}', by: later as never } })],
    ['keyOf', () => CachePut({ keyOf: later as never })],
    ['condition', () => CachePut({ key: '{0}', condition: later as never })],
    ['keysOf', () => CacheEvict({ keysOf: later as never })],
    ['tags', () => CacheEvict({ tags: later as never })],
  ])('is refused where the class is defined: %s', (option, make) => {
    expect(() => {
      class Wrong {
        @forced(make())
        async run(_id: string): Promise<void> {}
      }
      void Wrong
    }).toThrow(new RegExp(`\\.${option} takes a function that answers at once`))
  })

  it('is refused at the call where it does not look like one, before the method runs', async () => {
    let runs = 0
    class Wrong {
      @Cacheable({ condition: (() => Promise.reject(new Error('no'))) as never })
      async run(): Promise<number> {
        return ++runs
      }
    }
    await expect(new Wrong().run()).rejects.toThrow(/\.condition takes a function that answers at/)
    expect(runs).toBe(0)
  })
})

it('a KeyError names the method', async () => {
  await expect(new Rows().find('')).rejects.toMatchObject({
    code: 'LARDER_KEY',
    message: expect.stringMatching(/^@Cacheable\(Rows\.find\), cache rows: A key is empty/),
  })
})
