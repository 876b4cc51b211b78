/** `deferEvictions`: what a unit of work evicts is evicted when it is over, and nothing uncommitted is read by others. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  type CacheManager,
  CachePut,
  ClosedError,
  cached,
  createCacheManager,
  InvalidOptionError,
  RecoveryQueueError,
  skipCache,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { freshNamespace, startNode, startPair } from '../support/nodes.ts'

/** Rows as a database has them: changes in a transaction are seen in it at once, and by others after its commit. */
class Database {
  readonly committed = new Map<string, string>([['1', 'old']])
  readonly #open = new Map<string, string>()
  isInTransaction = false

  read(id: string): string | undefined {
    return (this.isInTransaction ? this.#open.get(id) : undefined) ?? this.committed.get(id)
  }

  write(id: string, text: string): void {
    this.#open.set(id, text)
  }

  commit(): void {
    for (const [id, text] of this.#open) this.committed.set(id, text)
    this.#open.clear()
  }
}

let caches: CacheManager
let other: CacheManager
let db: Database

@CacheConfig({ cache: 'rows', manager: () => caches })
class Rows {
  loads = 0

  @Cacheable({ key: (id: string) => id, tags: (_row, id: string) => [`row:${id}`] })
  async find(id: string): Promise<string | undefined> {
    this.loads += 1
    return db.read(id)
  }

  @Cacheable({ each: { key: (id: string) => id } })
  async findMany(ids: readonly string[]): Promise<(string | undefined)[]> {
    this.loads += 1
    return ids.map((id) => db.read(id))
  }

  @CacheEvict({ key: (id: string) => id })
  async change(id: string, text: string): Promise<void> {
    db.write(id, text)
  }

  @CacheEvict({ tags: (_result, id: string) => [`row:${id}`] })
  async changeByTag(id: string, text: string): Promise<void> {
    db.write(id, text)
  }

  @CachePut({ key: (id: string) => id })
  async save(id: string, text: string): Promise<string> {
    db.write(id, text)
    return text
  }
}

const worlds = {
  'in process': async () => {
    caches = createCacheManager({
      namespace: freshNamespace(),
      local: lruStore(),
      default: false,
      defaults: { ttl: '1h' },
    })
    onTestFinished(() => caches.close())
    other = caches
  },
  'over Redis': async () => {
    const [one, two] = await startPair()
    caches = one.caches
    other = two.caches
  },
}

function transaction<Result>(work: () => Promise<Result>): Promise<Result> {
  return caches.deferEvictions(async () => {
    db.isInTransaction = true
    try {
      const result = await work()
      db.commit()
      return result
    } finally {
      db.isInTransaction = false
    }
  })
}

function readByOther(): Promise<string | undefined> {
  return other.cache<string>('rows').get('1')
}

describe.each(Object.entries(worlds))('%s', (_name, open) => {
  let rows: Rows

  beforeEach(async () => {
    db = new Database()
    rows = new Rows()
    await open()
    await rows.find('1')
    await other.cache<string>('rows').getOrLoad('1', () => 'old')
  })

  it('evicts when the unit is over, and not before', async () => {
    await transaction(async () => {
      await rows.change('1', 'new')
      expect(await skipUnit(readByOther)).toBe('old')
    })
    await eventually('the other node forgets', async () => (await readByOther()) === undefined)
    expect(await rows.find('1')).toBe('new')
  })

  const ways: readonly (readonly [string, (rows: Rows) => Promise<unknown>])[] = [
    ['@CacheEvict by key', (rows) => rows.change('1', 'new')],
    ['@CacheEvict by tag', (rows) => rows.changeByTag('1', 'new')],
    ['@CachePut', (rows) => rows.save('1', 'new')],
    ['cache.evict', () => write(() => caches.cache('rows').evict('1'))],
    ['cache.evictMany', () => write(() => caches.cache('rows').evictMany(['1', '2']))],
    ['cache.evictTags', () => write(() => caches.cache('rows').evictTags(['row:1']))],
    ['cache.clear', () => write(() => caches.cache('rows').clear())],
    ['cache.set', () => write(() => caches.cache('rows').set('1', 'new'))],
    ['cache.refresh', () => write(() => caches.cache('rows').refresh('1', () => db.read('1')))],
    ['cached.refresh', (rows) => write(() => cached(rows, 'find').refresh('1'))],
    ['cached.refresh of many', (rows) => write(() => cached(rows, 'findMany').refresh(['1']))],
    ["skipCache with 'refresh'", (rows) => write(() => skipCache(() => rows.find('1'), 'refresh'))],
    ['manager.evictTags', () => write(() => caches.evictTags(['row:1']))],
    ['manager.clear', () => write(() => caches.clear())],
    [
      'cache.evictPattern',
      () =>
        write(async () => {
          for await (const _ of caches.cache('rows').evictPattern('*'));
        }),
    ],
  ]
  it.each(ways)(
    'reads its own changes meanwhile, and keeps nothing of them: %s',
    async (_, way) => {
      const failing = transaction(async () => {
        await way(rows)
        expect(await rows.find('1')).toBe('new')
        expect(await rows.findMany(['1'])).toEqual(['new'])
        expect(await rows.find('2')).toBe(undefined)
        expect(await skipUnit(readByOther)).toBe('old')
        throw new RangeError('rolled back')
      })
      await expect(failing).rejects.toThrow(RangeError)
      expect(await rows.find('1'), 'nothing was committed').toBe('old')
      await transaction(() => way(rows))
      expect(await rows.find('1')).toBe('new')
      await eventually('the other node forgets', async () => (await readByOther()) !== 'old')
    },
  )

  it('runs them when the work fails, too: it may have failed after the commit', async () => {
    const failing = transaction(async () => {
      await rows.change('1', 'new')
      db.commit()
      throw new RangeError('the mail server is away')
    })
    await expect(failing).rejects.toThrow(RangeError)
    expect(await rows.find('1')).toBe('new')
  })

  it('ends loads that began before the commit', async () => {
    const [hasRead, mayGoOn] = [deferred(), deferred()]
    await caches.cache('rows').evict('1')
    const loading = caches.cache<string>('rows').getOrLoad('1', async () => {
      const read = db.read('1') ?? ''
      hasRead.resolve()
      await mayGoOn.promise
      return read
    })
    await hasRead.promise
    await transaction(() => rows.change('1', 'new'))
    mayGoOn.resolve()
    await loading
    expect(await rows.find('1')).toBe('new')
  })

  it('takes units inside for a part of it, whatever becomes of them', async () => {
    await transaction(async () => {
      await caches.deferEvictions(() => rows.change('1', 'new'))
      await expect(
        caches.deferEvictions(async () => {
          await rows.change('1', 'newer')
          throw new RangeError('rolled back to a savepoint')
        }),
      ).rejects.toThrow(RangeError)
      expect(await skipUnit(readByOther)).toBe('old')
    })
    expect(await rows.find('1')).toBe('newer')
  })

  it('is over for what goes on behind it', async () => {
    const mayGoOn = deferred()
    let behind: Promise<void> | undefined
    await transaction(async () => {
      behind = mayGoOn.promise.then(() => rows.change('1', 'late'))
    })
    mayGoOn.resolve()
    await behind
    db.commit()
    expect(await rows.find('1')).toBe('late')
  })

  it('goes together with skipCache, either in the other', async () => {
    await transaction(() => skipCache(() => rows.change('1', 'new')))
    expect(await rows.find('1')).toBe('new')
    await skipCache(() => transaction(() => rows.change('1', 'newer')))
    expect(await rows.find('1')).toBe('newer')
  })
})

it('says after the work that an eviction did not reach the store, where that was asked for', async () => {
  const port = await freePort()
  const { caches } = startNode({
    remote: redisStore({ url: `redis://127.0.0.1:${port}` }),
    storeTimeout: '50ms',
  })
  const strict = caches.cache('strict', { onRemoteFailure: 'throw' })
  let isDone = false
  const unit = caches.deferEvictions(async () => {
    await strict.evict('1')
    isDone = true
  })
  await expect(unit).rejects.toThrow(RecoveryQueueError)
  expect(isDone).toBe(true)
  expect(await caches.deferEvictions(() => caches.cache('easy').evict('1'))).toBe(undefined)
})

it('is of one manager: another one evicts at once', async () => {
  const one = startNode().caches
  const two = startNode().caches
  await two.cache('c').set('1', 'kept')
  await one.deferEvictions(async () => {
    await two.cache('c').evict('1')
    expect(await two.cache('c').get('1')).toBe(undefined)
  })
})

it('refuses what is no work, and after the end', async () => {
  const { caches } = startNode()
  await expect(caches.deferEvictions('work' as never)).rejects.toThrow(InvalidOptionError)
  await caches.close()
  await expect(caches.deferEvictions(() => 1)).rejects.toThrow(ClosedError)
})

async function write(evict: () => Promise<unknown>): Promise<void> {
  db.write('1', 'new')
  await evict()
}

/** As somebody else would, who is in no unit of work. */
function skipUnit<Result>(work: () => Promise<Result>): Promise<Result> {
  return outside.run(work)
}

/** Made where there is no unit, so that what runs in it is in none either. */
const outside = {
  run: <Result>(work: () => Promise<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      waiting.push(() => void work().then(resolve, reject))
      wake()
    }),
}
const waiting: (() => void)[] = []
let wake = (): void => undefined
void (async () => {
  for (;;) {
    await new Promise<void>((resolve) => {
      wake = resolve
    })
    for (const each of waiting.splice(0)) each()
  }
})()
