/** Loads whose result is for one caller alone. Each caller names itself in what it loads, so that a result in the wrong hands is seen. */

import { describe, expect, it } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { MemoryWorld, never } from './memory-world.ts'

interface Answer {
  readonly for: string
  readonly isPrivate: boolean
}

const options = { unshared: ({ isPrivate }: Answer) => isPrivate }

/** Loads that wait for a gate, and that say whom they are for. */
function source() {
  const gate = deferred()
  const began: string[] = []
  const load =
    (name: string, isPrivate = true) =>
    async (): Promise<Answer> => {
      began.push(name)
      await gate.promise
      return { for: name, isPrivate }
    }
  return { gate, began, load }
}

const NAMES = ['ann', 'bob', 'cem', 'dan']

describe('a result that is for one caller', () => {
  it('is given to the caller that ran the loader, and all who waited load for themselves, side by side', async () => {
    const { cache } = new MemoryWorld('unshared-1').startNode()
    const { gate, began, load } = source()
    const second = source()
    const answers = NAMES.map((name, i) =>
      cache.getOrLoad('k', i === 0 ? load(name) : second.load(name), options as never),
    )
    await eventually('the first loads', () => began.length === 1)
    gate.resolve()
    await eventually('all others load at once', () => second.began.length === NAMES.length - 1)
    second.gate.resolve()
    expect(await Promise.all(answers)).toEqual(
      NAMES.map((name) => ({ for: name, isPrivate: true })),
    )
    expect(began).toEqual(['ann'])
  })

  it('is kept in no tier', async () => {
    const world = new MemoryWorld('unshared-2')
    const [one, other] = [world.startNode(), world.startNode()]
    const { gate, load } = source()
    gate.resolve()
    await one.cache.getOrLoad('k', load('ann'), options as never)
    expect(await one.cache.get('k')).toBeUndefined()
    expect(await other.cache.get('k', { allowStale: true })).toBeUndefined()
    expect(await one.cache.getEntry('k')).toBeUndefined()
    const entries: unknown[] = []
    for await (const entry of other.cache.entries()) entries.push(entry)
    expect(entries).toEqual([])
  })

  it('ends the value that was kept before it, also as a fallback', async () => {
    const { cache } = new MemoryWorld('unshared-3').startNode({ ttl: '1s', staleIfError: '1h' })
    await cache.set('k', { for: 'all', isPrivate: false })
    await cache.refresh('k', async () => ({ for: 'ann', isPrivate: true }), options as never)
    expect(await cache.get('k', { allowStale: true })).toBeUndefined()
  })

  it('of a revalidation behind a caller ends what was stale', async () => {
    const world = new MemoryWorld('unshared-4')
    const { cache } = world.startNode({ ttl: '1s', staleWhileRevalidate: '1h' })
    await cache.set('k', { for: 'all', isPrivate: false })
    await world.clock.advanceAsync(1_500)
    const { began, gate, load } = source()
    gate.resolve()
    const answer = await cache.getOrLoad('k', load('ann'), options as never)
    expect(answer).toEqual({ for: 'all', isPrivate: false })
    await eventually('it was loaded', () => began.length === 1)
    await eventually('the stale value is gone', async () => {
      return (await cache.get('k', { allowStale: true })) === undefined
    })
  })

  it('where the callback fails, is for one caller, too', async () => {
    const node = new MemoryWorld('unshared-5').startNode()
    const failed = node.seen('callback-error')
    const { gate, began, load } = source()
    const bad = {
      unshared: () => {
        throw new Error('no answer')
      },
    }
    const answers = ['ann', 'bob'].map((name) => node.cache.getOrLoad('k', load(name, false), bad))
    await eventually('the first loads', () => began.length === 1)
    gate.resolve()
    expect(await Promise.all(answers)).toEqual([
      { for: 'ann', isPrivate: false },
      { for: 'bob', isPrivate: false },
    ])
    expect(failed).toMatchObject([{ option: 'unshared' }, { option: 'unshared' }])
  })

  it('of a refresh lets those who joined it load for themselves', async () => {
    const { cache } = new MemoryWorld('unshared-6').startNode()
    const { gate, load } = source()
    const answers = NAMES.map((name) => cache.refresh('k', load(name), options as never))
    gate.resolve()
    expect(await Promise.all(answers)).toEqual(
      NAMES.map((name) => ({ for: name, isPrivate: true })),
    )
  })

  it.each([
    ['with a store', {}],
    ['in process', { remote: undefined }],
  ])(
    'of a load that stands in for a stuck one is for the caller whose loader ran (%s)',
    async (name, tiers) => {
      const world = new MemoryWorld(`unshared-7-${name.replaceAll(' ', '-')}`)
      const { cache } = world.startNode({ leaseWait: '1s' }, tiers as never)
      const stuck = source()
      const others = source()
      const first = cache.getOrLoad('k', stuck.load('ann'), options as never)
      await eventually('the first loads', () => stuck.began.length === 1)
      const waiting = ['bob', 'cem'].map((who) =>
        cache.getOrLoad('k', others.load(who), options as never),
      )
      await world.clock.advanceAsync(1_100)
      await eventually('one stands in', () => others.began.length === 1)
      others.gate.resolve()
      expect(await Promise.all(waiting)).toEqual([
        { for: 'bob', isPrivate: true },
        { for: 'cem', isPrivate: true },
      ])
      stuck.gate.resolve()
      expect(await first).toEqual({ for: 'ann', isPrivate: true })
    },
  )
})

describe('after a result that is for one caller', () => {
  it('loads of the key run side by side, for two minutes', async () => {
    const world = new MemoryWorld('unshared-8')
    const { cache } = world.startNode()
    await cache.getOrLoad('k', async () => ({ for: 'ann', isPrivate: true }), options as never)
    const during = source()
    const both = ['bob', 'cem'].map((name) =>
      cache.getOrLoad('k', during.load(name), options as never),
    )
    await eventually('both load', () => during.began.length === 2)
    during.gate.resolve()
    await Promise.all(both)
    await world.clock.advanceAsync(121_000)
    const after = source()
    const shared = ['dan', 'eve'].map((name) =>
      cache.getOrLoad('k', after.load(name, false), options as never),
    )
    await eventually('one loads', () => after.began.length === 1)
    after.gate.resolve()
    expect(await Promise.all(shared)).toEqual([
      { for: 'dan', isPrivate: false },
      { for: 'dan', isPrivate: false },
    ])
    expect(after.began).toEqual(['dan'])
  })

  it('they do so for as long as the callback says', async () => {
    const world = new MemoryWorld('unshared-9')
    const { cache } = world.startNode()
    const short = { unshared: () => '10s' as const }
    await cache.getOrLoad('k', async () => 'v', short)
    await world.clock.advanceAsync(10_100)
    const { gate, began, load } = source()
    const both = ['bob', 'cem'].map((name) =>
      cache.getOrLoad('k', load(name), { unshared: () => false }),
    )
    gate.resolve()
    await Promise.all(both)
    expect(began).toEqual(['bob'])
  })

  it('one that may be shared is kept for all, and they are shared again', async () => {
    const world = new MemoryWorld('unshared-10')
    const [one, other] = [world.startNode(), world.startNode()]
    const own = { for: 'ann', isPrivate: true }
    const all = { for: 'all', isPrivate: false }
    await one.cache.getOrLoad('k', async () => own, options as never)
    expect(await other.cache.getOrLoad('k', async () => own, options as never)).toEqual(own)
    expect(await one.cache.getOrLoad('k', async () => all, options as never)).toEqual(all)
    expect(await one.cache.getOrLoad('k', never)).toEqual(all)
    await eventually('the other node finds it', async () => {
      return (await other.cache.get('k')) !== undefined
    })
    expect(await other.cache.getOrLoad('k', never)).toEqual(all)
  })

  it('nothing of it is left after an eviction of the key', async () => {
    const world = new MemoryWorld('unshared-11')
    const [one, other] = [world.startNode(), world.startNode()]
    await one.cache.getOrLoad('k', async () => ({ for: 'ann', isPrivate: true }), options as never)
    await one.cache.evict('k')
    const { gate, began, load } = source()
    const both = ['bob', 'cem'].map((name) =>
      other.cache.getOrLoad('k', load(name, false), options as never),
    )
    gate.resolve()
    await Promise.all(both)
    expect(began).toEqual(['bob'])
  })

  it('an eviction still kills the loads that run side by side', async () => {
    const { cache } = new MemoryWorld('unshared-12').startNode()
    await cache.getOrLoad('k', async () => ({ for: 'ann', isPrivate: true }), options as never)
    const { gate, began, load } = source()
    const both = ['bob', 'cem'].map((name) =>
      cache.getOrLoad('k', load(name, false), options as never),
    )
    await eventually('both load', () => began.length === 2)
    await cache.evict('k')
    gate.resolve()
    await Promise.all(both)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('of many keys, the oldest are forgotten', async () => {
    const { cache } = new MemoryWorld('unshared-13').startNode({}, { remote: undefined } as never)
    const own = async () => ({ for: 'ann', isPrivate: true })
    for (let i = 0; i <= 10_000; i += 1) await cache.getOrLoad(i, own, options as never)
    const loadsAtOnce = async (key: number): Promise<number> => {
      const { gate, began, load } = source()
      const both = ['bob', 'cem'].map((name) =>
        cache.getOrLoad(key, load(name, false), options as never),
      )
      gate.resolve()
      await Promise.all(both)
      return began.length
    }
    expect([await loadsAtOnce(0), await loadsAtOnce(10_000)]).toEqual([1, 2])
  })
})

describe('windows that depend on the value', () => {
  const windows = {
    staleWhileRevalidate: (value: unknown) => (value === 'long' ? '10s' : undefined),
    staleIfError: (value: unknown) => (value === 'long' ? '1m' : 0),
  } as const

  it('hold for that value, and the policy for others', async () => {
    const world = new MemoryWorld('windows-1')
    const { cache } = world.startNode({ ttl: '1s', staleWhileRevalidate: '2s', staleIfError: '1h' })
    await cache.getOrLoad('long', async () => 'long', windows)
    await cache.getOrLoad('other', async () => 'other', windows)
    const lives = async (key: string) => {
      const entry = await cache.getEntry(key)
      return entry && [entry.freshForMs, entry.livesForMs]
    }
    expect([await lives('long'), await lives('other')]).toEqual([
      [1_000, 71_000],
      [1_000, 3_000],
    ])
  })

  it('are served while one refresh runs, also for keys that are usually missed', async () => {
    const world = new MemoryWorld('windows-2')
    const [one, other] = [world.startNode({ ttl: '1s' }), world.startNode({ ttl: '1s' })]
    for (let i = 0; i < 20; i += 1) await other.cache.getOrLoad(`cold:${i}`, async () => i, windows)
    await one.cache.getOrLoad('k', async () => 'long', windows)
    await world.clock.advanceAsync(5_000)
    expect(await other.cache.getOrLoad('k', async () => 'new', windows)).toBe('long')
  })

  it('let a value stand in for a failed load', async () => {
    const world = new MemoryWorld('windows-3')
    const { cache } = world.startNode({ ttl: '1s' })
    await cache.getOrLoad('k', async () => 'long', windows)
    await world.clock.advanceAsync(30_000)
    const fails = () => Promise.reject(new Error('down'))
    expect(await cache.getOrLoad('k', fails, windows)).toBe('long')
    await world.clock.advanceAsync(60_000)
    await expect(cache.getOrLoad('k', fails, windows)).rejects.toThrow('down')
  })

  it('are refused where they are no durations', async () => {
    const { cache } = new MemoryWorld('windows-4').startNode()
    const bad = { staleIfError: 'soon' } as never
    await expect(cache.set('k', 'v', bad)).rejects.toThrow('staleIfError')
    await expect(
      cache.getOrLoad('k', async () => 'v', { unshared: true } as never),
    ).rejects.toThrow('unshared')
  })
})
