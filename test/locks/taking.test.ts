/** Who gets a lock when, on a manual clock: L6, L12, L13, modes, permits, options. */

import {
  currentLock,
  InvalidOptionError,
  type LockOptions,
  LockTimeoutError,
  LockUnavailableError,
  NoLockError,
} from '@larder/core'
import { describe, expect, it } from 'vitest'
import { altered, gate, stage, watch } from './support/stage.ts'

describe('waiting', () => {
  it('ends in the order it began, within a process and for callers that queue for themselves (L6)', async () => {
    const { caches, clock } = stage()
    for (const fair of ['process', 'global'] as const) {
      const first = await caches.locks.acquire(fair)
      const order: number[] = []
      const waiters = [1, 2, 3, 4].map(async (n) => {
        const lock = await caches.locks.acquire(fair, { fair })
        order.push(n)
        await lock.release()
      })
      await clock.advanceAsync(5)
      await first.release()
      await clock.advanceAsync(5)
      await Promise.all(waiters)
      expect(order).toEqual([1, 2, 3, 4])
    }
  })

  it('says how long it was when the lock stays held', async () => {
    const { caches, clock } = stage()
    await caches.locks.acquire('a')
    const seen = watch(caches.locks.acquire('a', { wait: 4_000 }))
    await clock.advanceAsync(3_999)
    expect(seen.state).toBe('pending')
    await clock.advanceAsync(1)
    expect(seen.error).toBeInstanceOf(LockTimeoutError)
    expect(seen.error).toMatchObject({ key: 'a', waitedMs: 4_000 })
    expect((await caches.locks.inspect('a')).waiting).toBe(0)
  })

  it('ends when the caller gives up, and leaves the queue to the others', async () => {
    const { caches, clock } = stage()
    const held = await caches.locks.acquire('a')
    const giving = new AbortController()
    const behind = new AbortController()
    const outcomes = [giving.signal, behind.signal].map((signal) =>
      watch(caches.locks.acquire('a', { signal })),
    )
    const last = caches.locks.acquire('a')
    await clock.advanceAsync(5)
    giving.abort(new Error('first'))
    behind.abort(new Error('second'))
    await clock.advanceAsync(5)
    expect(outcomes.map(({ error }) => (error as Error).message)).toEqual(['first', 'second'])
    await held.release()
    expect((await last).keys).toEqual(['a'])
  })

  it('does not begin for a caller that has given up', async () => {
    const { caches } = stage()
    const signal = AbortSignal.abort(new Error('over'))
    await expect(caches.locks.acquire('a', { signal })).rejects.toThrow('over')
    expect((await caches.locks.inspect('a')).holders).toEqual([])
  })

  it('outlives a wake-up that gets lost, by asking again (L7)', async () => {
    const { caches, clock, provider } = stage()
    const held = await caches.locks.acquire('a')
    const waiting = watch(caches.locks.acquire('a', { wait: '1m' }))
    await clock.advanceAsync(100)
    provider.onWake = undefined
    await held.release()
    await clock.advanceAsync(900)
    expect(waiting.state).toBe('resolved')
  })
})

describe('reentrancy (L12)', () => {
  it('shares the lock that encloses the call, fence and all', async () => {
    const { caches } = stage()
    const fences = await caches.locks.run('a', {}, async (outer) => {
      const inner = await caches.locks.run('a', {}, ({ fence }) => fence)
      await using third = await caches.locks.acquire('a')
      return [outer.fence, inner, third.fence, currentLock().fence]
    })
    expect(new Set(fences).size).toBe(1)
    expect((await caches.locks.inspect('a')).holders).toEqual([])
  })

  it('holds on until the outermost ends, also when an inner one throws', async () => {
    const { caches } = stage()
    await caches.locks.run('a', {}, async () => {
      const inner = caches.locks.run('a', {}, () => Promise.reject(new Error('inner')))
      await expect(inner).rejects.toThrow('inner')
      expect((await caches.locks.inspect('a')).holders.length).toBe(1)
      currentLock().assertHeld()
    })
    expect((await caches.locks.inspect('a')).holders.length).toBe(0)
  })

  it('does not reach work that outlives the lock', async () => {
    const { caches, clock } = stage()
    const end = gate()
    let detached: Promise<number> | undefined
    const first = await caches.locks.run('a', {}, ({ fence }) => {
      detached = end.opened.then(() => caches.locks.run('a', {}, (own) => own.fence))
      return fence
    })
    end.open()
    await clock.advanceAsync(0)
    expect(await detached).toBeGreaterThan(first)
  })

  it('is of one manager: locks of another are others', async () => {
    const [one, other] = [stage(), stage()]
    await one.caches.locks.run('a', {}, () =>
      other.caches.locks.run('a', {}, async () => {
        expect((await other.caches.locks.inspect('a')).holders.length).toBe(1)
      }),
    )
  })

  it('lets a writer read, and refuses a reader that wants to write', async () => {
    const { caches } = stage()
    await caches.locks.run('a', {}, () => caches.locks.run('a', { mode: 'read' }, () => undefined))
    const upgrade = caches.locks.run('a', { mode: 'read' }, () =>
      caches.locks.run('a', {}, () => undefined),
    )
    await expect(upgrade).rejects.toThrow(InvalidOptionError)
  })

  it('is nowhere outside', () => {
    expect(() => currentLock()).toThrow(NoLockError)
  })
})

describe('several keys (L13)', () => {
  it('are taken without deadlock, whatever order they are named in', async () => {
    const { caches, clock } = stage()
    let done = 0
    const orders = [
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
      ['b', 'c', 'a'],
    ]
    const all = Array.from({ length: 30 }, (_, n) =>
      caches.locks.run(orders[n % 3] ?? [], { wait: '1h' }, async () => {
        done += 1
      }),
    )
    for (let turn = 0; turn < 60 && done < 30; turn++) await clock.advanceAsync(50)
    await Promise.all(all)
    expect(done).toBe(30)
  })

  it('are held all or none', async () => {
    const { caches } = stage()
    await caches.locks.acquire('b')
    await expect(caches.locks.acquire(['c', 'a', 'b'], { wait: 0 })).rejects.toThrow(
      LockTimeoutError,
    )
    expect((await caches.locks.inspect('a')).holders).toEqual([])
    expect((await caches.locks.inspect('c')).holders).toEqual([])
  })

  it('have a fence each', async () => {
    const { caches } = stage()
    await using lock = await caches.locks.acquire(['b', 'a', 'b'])
    expect(lock.keys).toEqual(['a', 'b'])
    expect(lock.fence).toBe(lock.fenceOf('a'))
    expect(lock.fenceOf('b')).toBeGreaterThan(0)
  })
})

describe('modes', () => {
  it('let readers in together and writers alone', async () => {
    const { caches, clock } = stage()
    const readers = [
      await caches.locks.acquire('a', { mode: 'read', wait: 0 }),
      await caches.locks.acquire('a', { mode: 'read', wait: 0 }),
    ]
    await expect(caches.locks.acquire('a', { wait: 0 })).rejects.toThrow(LockTimeoutError)
    const writer = watch(caches.locks.acquire('a', { wait: '1m' }))
    await clock.advanceAsync(1)
    // A writer that waits keeps later readers out, or it might wait for ever.
    const late = watch(caches.locks.acquire('a', { mode: 'read', wait: '1m' }))
    await clock.advanceAsync(1)
    for (const reader of readers) await reader.release()
    await clock.advanceAsync(1)
    expect([writer.state, late.state]).toEqual(['resolved', 'pending'])
    await writer.value?.release()
    await clock.advanceAsync(1)
    expect(late.state).toBe('resolved')
  })

  it('give as many permits as there are', async () => {
    const { caches, clock } = stage()
    let running = 0
    let most = 0
    const all = Array.from({ length: 20 }, () =>
      caches.locks.run('a', { permits: 3, wait: '1h' }, async () => {
        running += 1
        most = Math.max(most, running)
        await Promise.resolve()
        running -= 1
      }),
    )
    for (let turn = 0; turn < 60; turn++) await clock.advanceAsync(20)
    await Promise.all(all)
    expect(most).toBe(3)
    await expect(caches.locks.acquire('a', { permits: 3, wait: 0 })).resolves.toBeDefined()
  })

  it('wake the readers that stand in line together', async () => {
    const { caches, clock } = stage()
    const writer = await caches.locks.acquire('a')
    const readers = [1, 2, 3].map(() => watch(caches.locks.acquire('a', { mode: 'read' })))
    await clock.advanceAsync(1)
    await writer.release()
    await clock.advanceAsync(1)
    expect(readers.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved'])
  })
})

describe('a store that is away', () => {
  it('is replaced by this process where that was chosen, and the lock says so', async () => {
    const { caches } = stage((provider) =>
      altered(provider, {
        name: 'remote',
        capabilities: { ...provider.capabilities, shared: true },
        acquire: () => Promise.reject(new Error('away')),
      }),
    )
    const options: LockOptions = { wait: 0, onUnavailable: 'local' }
    const lock = await caches.locks.acquire('a', options)
    expect(lock.source).toBe('local')
    await expect(caches.locks.acquire('a', options)).rejects.toThrow(LockTimeoutError)
    await expect(caches.locks.acquire('a', { wait: 0 })).rejects.toThrow(LockUnavailableError)
  })
})

describe('options', () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['a lease below renewal', { lease: 99 }, /locks\.acquire\.lease/],
    ['a wrong unit', { lease: '5 minutes' }, /'5m'/],
    ['a wait longer than sense', { wait: '2d' }, /locks\.acquire\.wait/],
    ['a hold shorter than the lease', { lease: '1m', maxHold: '1s' }, /locks\.acquire\.maxHold/],
    ['no permits', { permits: 0 }, /locks\.acquire\.permits/],
    ['permits with a mode', { permits: 2, mode: 'read' }, /locks\.acquire\.mode/],
    ['an unknown mode', { mode: 'shared' }, /"write" or "read"/],
    ['an unknown name', { leese: 1 }, /lease/],
    ['replicas in process', { replicas: { min: 1 } }, /locks\.acquire\.replicas/],
    ['a signal that is none', { signal: {} }, /AbortSignal/],
  ]

  it.each(wrong)('refuse %s', async (_what, options, message) => {
    const { caches } = stage()
    await expect(caches.locks.acquire('a', options as LockOptions)).rejects.toThrow(message)
    await expect(caches.locks.acquire('a', options as LockOptions)).rejects.toThrow(
      InvalidOptionError,
    )
  })

  it.each([[''], [[]], [['a', '']], [['a', []]], [{}], [Number.NaN], [null], [() => 'a']])(
    'refuse the key %j',
    async (key) => {
      const { caches } = stage()
      await expect(caches.locks.acquire(key as string)).rejects.toThrow(InvalidOptionError)
    },
  )
})
