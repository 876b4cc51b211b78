/** Two copies of the packages in one process, as of two versions or two module formats: what the one makes, the other knows. */

import * as core from '@larder/core'
import * as stores from '@larder/local-store'
import { afterEach, describe, expect, it, vi } from 'vitest'

vi.resetModules()
const other = {
  core: await import('@larder/core'),
  stores: await import('@larder/local-store'),
}

const opened: core.CacheManager[] = []
afterEach(async () => {
  for (const manager of opened.splice(0)) await manager.close()
})

function open<Manager extends core.CacheManager>(manager: Manager): Manager {
  opened.push(manager)
  return manager
}

it('they are two', () => {
  expect(other.core.LarderError).not.toBe(core.LarderError)
  expect(other.stores.lruStore).not.toBe(stores.lruStore)
})

describe('errors', () => {
  const thrown = new other.core.LockTimeoutError('job', 5)

  it('are instances of the class of either copy, and of those it extends', () => {
    expect(thrown instanceof core.LockTimeoutError).toBe(true)
    expect(thrown instanceof core.LarderError).toBe(true)
    expect(thrown instanceof Error).toBe(true)
    expect(new core.StoreSetupError('x') instanceof other.core.StoreSetupError).toBe(true)
  })

  it('are no instances of other classes', () => {
    expect(thrown instanceof core.LockLostError).toBe(false)
    expect(new Error('x') instanceof core.LarderError).toBe(false)
    for (const nothing of [undefined, null, 'LockTimeoutError', { name: 'LarderError' }]) {
      expect((nothing as unknown) instanceof core.LarderError).toBe(false)
    }
  })

  it('of a class that a user derives are that and what it extends, in either copy', () => {
    class Own extends core.LockTimeoutError {}
    class Namesake extends core.LarderError {
      override get name(): string {
        return 'LockTimeoutError'
      }
    }
    const own = new Own('job', 5)
    expect(own instanceof Own).toBe(true)
    expect(own instanceof other.core.LockTimeoutError).toBe(true)
    expect(thrown instanceof Own).toBe(false)
    expect(thrown instanceof Namesake).toBe(false)
  })
})

describe('a manager of one copy', () => {
  it('serves methods decorated by the other', async () => {
    let loads = 0
    class Rows {
      @core.Cacheable({ cache: 'rows', key: (id: string) => id })
      async find(id: string): Promise<string> {
        loads += 1
        return id
      }
    }
    open(other.core.createCacheManager({ namespace: 'copies', local: other.stores.lruStore() }))
    const rows = new Rows()
    await rows.find('1')
    await rows.find('1')
    expect(loads).toBe(1)
    await other.core.cached(rows, 'find').evict('1')
    await rows.find('1')
    expect(loads).toBe(2)
  })

  it('does not share its stores with one of the other', () => {
    const local = stores.lruStore()
    open(core.createCacheManager({ namespace: 'a', default: false, local }))
    expect(() => other.core.createCacheManager({ namespace: 'b', default: false, local })).toThrow(
      core.InvalidOptionError,
    )
  })
})

describe('locks and limits of one namespace', () => {
  const make = (): readonly core.CacheManager[] => [
    open(core.createCacheManager({ namespace: 'both', default: false, local: stores.lruStore() })),
    open(
      other.core.createCacheManager({
        namespace: 'both',
        default: false,
        local: other.stores.lruStore(),
      }),
    ),
  ]

  it('exclude and count across copies', async () => {
    const [here, there] = make()
    await here?.locks.run('job', { lease: '10s' }, async () => {
      const busy = there?.locks.run('job', { lease: '10s', wait: 0 }, async () => 'ran')
      await expect(busy).rejects.toBeInstanceOf(core.LockTimeoutError)
    })
    expect(await there?.locks.run('job', { lease: '10s', wait: 0 }, async () => 'ran')).toBe('ran')
    const rule = { limit: 1, per: '1h', name: 'one' } as const
    expect((await here?.limiter(rule).consume('a'))?.allowed).toBe(true)
    expect((await there?.limiter(rule).consume('a'))?.allowed).toBe(false)
  })

  it('are known to either copy where they are held', async () => {
    const [, there] = make()
    await there?.locks.run('job', { lease: '10s' }, async () => {
      expect(core.currentLock()).toBe(other.core.currentLock())
    })
    expect(() => core.currentLock()).toThrow(other.core.NoLockError)
  })
})
