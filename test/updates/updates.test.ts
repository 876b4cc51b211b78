/** An update loses nothing that others write, and writes nothing over it. */

import {
  type Cache,
  InvalidOptionError,
  UpdateConflictError,
  UpdateFailedError,
  ValueError,
} from '@larder/core'
import { describe, expect, it } from 'vitest'
import { STAGES } from './stages.ts'

const increment = (old = 0): number => old + 1

/** Another node hears of a change within one message's delay. */
async function has(cache: Cache<unknown>, value: unknown): Promise<void> {
  await expect.poll(() => cache.get('k'), { timeout: 10_000 }).toEqual(value)
}

describe.each(Object.entries(STAGES))('%s', (_, start) => {
  it('loses none of fifty increments that two nodes ask for at once', async () => {
    const nodes = await start()
    const asked = Array.from({ length: 50 }, (_, i) =>
      nodes[i % 2]?.cache<number>().update('k', increment),
    )
    const results = await Promise.all(asked)
    expect([...results].sort((one = 0, other = 0) => one - other)).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 1),
    )
    for (const node of nodes) await has(node.cache(), 50)
  })

  it('costs a look and one round trip a try', async () => {
    const [{ cache, faults }, other] = await start()
    await cache<number>().set('k', 1)
    const before = { read: faults.calls('read'), all: faults.calls() }
    let tries = 0
    await cache<number>().update('k', async (old = 0) => {
      tries += 1
      if (tries < 3) await other.cache<number>().set('k', tries * 10)
      return old + 1
    })
    expect(tries).toBe(3)
    expect(faults.calls('swap')).toBe(3)
    expect(faults.calls('read') - before.read).toBe(1)
    await has(other.cache(), 21)
  })

  it('gives the callback what is there after a change by another node, and undefined for nothing', async () => {
    const [a, b] = await start()
    let seen: unknown
    const note = (old: string | undefined): string => {
      seen = old
      return `${old}+`
    }
    expect(await a.cache<string>().update('k', note)).toBe('undefined+')
    await b.cache<string>().set('k', 'set')
    await a.cache<string>().update('k', note)
    expect(seen).toBe('set')
    await b.cache<string>().evict('k')
    await a.cache<string>().update('k', note)
    expect(seen).toBe(undefined)
    await b.cache<string>().evict('k', { soft: true })
    await a.cache<string>().update('k', note)
    expect(seen).toBe(undefined)
    await has(b.cache(), 'undefined+')
  })

  it.each([
    ['evicts', 'evict' as const],
    ['evicts softly', 'soften' as const],
    ['sets', 'set' as const],
    ['loads', 'load' as const],
    ['evicts a tag', 'tag' as const],
    ['clears', 'clear' as const],
  ])('an update that another node %s beside does not bring back what was there', async (_, way) => {
    const [a, b] = await start()
    const [here, there] = [a.cache<string>(), b.cache<string>()]
    const tags = ['t']
    if (way !== 'load') await here.set('k', 'old', { tags })
    const seen: unknown[] = []
    const change = async (old: string | undefined): Promise<string> => {
      seen.push(old)
      if (seen.length === 1) {
        if (way === 'evict') await there.evict('k')
        else if (way === 'soften') await there.evict('k', { soft: true })
        else if (way === 'set') await there.set('k', 'set')
        else if (way === 'load') {
          await there.getOrLoad('k', () => 'loaded')
          await has(here, 'loaded')
        } else if (way === 'tag') await there.evictTags(tags)
        else await there.clear()
      }
      return `${old}+`
    }
    await here.update('k', change, { tags })
    const kept = {
      evict: 'undefined+',
      soften: 'undefined+',
      set: 'set+',
      load: 'loaded+',
    } as const
    // Evictions by tag come after the update: it stands on what is older, and falls with it.
    const expected = way === 'tag' || way === 'clear' ? undefined : kept[way]
    expect(seen).toHaveLength(expected === undefined ? 1 : 2)
    for (const cache of [here, there]) await has(cache, expected)
  })

  it('is not overtaken by an eviction that came while there was nothing', async () => {
    const [a, b] = await start()
    let source = 'old'
    const made = await a.cache<string>().update('k', async () => {
      const read = source
      if (source === 'old') {
        source = 'new'
        await b.cache().evict('k')
      }
      return read
    })
    expect(made).toBe('new')
    await has(b.cache(), 'new')
  })

  it('ends a load that began before it', async () => {
    const [a, b] = await start()
    let finish: (value: string) => void = () => {}
    const loading = b
      .cache<string>()
      .getOrLoad('k', () => new Promise((resolve) => (finish = resolve)))
    await expect.poll(() => b.faults.calls('claim')).toBe(1)
    await a.cache<string>().update('k', () => 'updated')
    finish('loaded')
    expect(await loading).toBe('loaded')
    for (const node of [a, b]) await has(node.cache(), 'updated')
  })

  it('is carried out once when its reply is lost', async () => {
    const [a, b] = await start()
    await a.cache<number>().set('k', 1)
    a.faults.loseReply({ on: 'swap', times: 1 })
    let tries = 0
    const change = (old = 0): number => {
      tries += 1
      return old + 1
    }
    expect(await a.cache<number>().update('k', change)).toBe(2)
    expect(tries).toBe(1)
    for (const node of [a, b]) await has(node.cache(), 2)
  })

  it('says that it may be done when its replies are lost, and is not made again over it', async () => {
    const [a, b] = await start()
    await a.cache<number>().set('k', 1)
    a.faults.loseReply({ on: 'swap', times: 2 })
    const updating = a.cache<number>().update('k', increment)
    await expect(updating).rejects.toMatchObject({ code: 'LARDER_UPDATE_FAILED', mayBeDone: true })
    for (const node of [a, b]) await has(node.cache(), 2)
  })

  it('changes nothing and waits for nothing while the store is away', async () => {
    const [a, b] = await start()
    await a.cache<number>().set('k', 1)
    let calls = 0
    a.faults.fail({ on: 'read' })
    const updating = a.cache<number>().update('k', () => {
      calls += 1
      return 2
    })
    await expect(updating).rejects.toThrow(UpdateFailedError)
    await expect(updating).rejects.toMatchObject({ mayBeDone: false })
    a.faults.heal()
    expect(calls).toBe(0)
    expect(a.caches.status().recoveryQueue.waiting).toBe(0)
    await has(b.cache(), 1)
  })

  it('gives up after its retries, and then has changed nothing', async () => {
    const [a, b] = await start()
    let tries = 0
    const meddled = async (): Promise<number> => {
      tries += 1
      await b.cache<number>().set('k', -tries)
      return tries
    }
    const updating = a.cache<number>().update('k', meddled, { retries: 5 })
    await expect(updating).rejects.toThrow(UpdateConflictError)
    await expect(updating).rejects.toMatchObject({ tries: 6, key: 'c:k' })
    expect(tries).toBe(6)
    expect(await a.cache().get('k')).toBe(-6)
  })

  it.each(['frozen', 'cloned', 'shared'] as const)(
    'gives the callback a value of its own with isolation %s',
    async (isolation) => {
      const [a, b] = await start()
      const here = a.cache<{ list: number[] }>({ isolation })
      await here.set('k', { list: [1] })
      const reader = await here.get('k')
      const failed = here.update('k', (old) => {
        old?.list.push(2)
        throw new Error('changed its mind')
      })
      await expect(failed).rejects.toThrow('changed its mind')
      await here.update('k', (old) => {
        old?.list.push(3)
        return undefined
      })
      expect(reader).toEqual({ list: [1] })
      for (const node of [a, b]) await has(node.cache({ isolation }), { list: [1] })
      await here.update('k', (old) => {
        old?.list.push(4)
        return old
      })
      expect(reader).toEqual({ list: [1] })
      await has(b.cache({ isolation }), { list: [1, 4] })
    },
  )

  it('keeps the new value under the tags and for the time of its own options', async () => {
    const [a, b] = await start()
    await a.cache<number>().set('k', 1, { tags: ['old'] })
    await a.cache<number>().update('k', increment, { tags: (value) => [`n${value}`], ttl: '1m' })
    expect((await b.cache().getEntry('k'))?.tags).toEqual(['n2'])
    expect((await b.cache().getEntry('k'))?.freshForMs).toBeLessThanOrEqual(60_000)
    await b.cache().evictTags(['old'])
    expect(await a.cache().get('k')).toBe(2)
    await b.cache().evictTags(['n2'])
    await has(a.cache(), undefined)
  })

  it('takes a cached nothing for null, and evicts where the new value is not to be cached', async () => {
    const [a, b] = await start()
    const here = a.cache<number | null>({ negativeTtl: '1m' })
    await here.set('k', null)
    expect(await here.update('k', (old) => (old === null ? 7 : -1))).toBe(7)
    expect(await here.update('k', () => null)).toBe(null)
    await has(b.cache({ negativeTtl: '1m' }), null)
    await here.update('k', () => 8, { ttl: 0 })
    await has(b.cache({ negativeTtl: '1m' }), undefined)
  })

  it('leaves a newer value where its own is not to be cached', async () => {
    const [a, b] = await start()
    await a.cache<number>().set('k', 1)
    const seen: unknown[] = []
    const ttl = (value: number): number => (value === 2 ? 0 : 60_000)
    await a.cache<number>().update(
      'k',
      async (old = 0) => {
        seen.push(old)
        if (seen.length === 1) await b.cache<number>().set('k', 10)
        return old + 1
      },
      { ttl },
    )
    expect(seen).toEqual([1, 10])
    await has(b.cache(), 11)
  })

  it('stops when its signal aborts, and writes nothing after that', async () => {
    const [a] = await start()
    await a.cache<number>().set('k', 1)
    const request = new AbortController()
    let finish: (value: number) => void = () => {}
    const updating = a.cache<number>().update(
      'k',
      () =>
        new Promise<number>((resolve) => {
          finish = resolve
          request.abort(new Error('gone'))
        }),
      { signal: request.signal },
    )
    await expect(updating).rejects.toThrow('gone')
    finish(2)
    await a.cache<number>().update('other', increment)
    expect(await a.cache().get('k')).toBe(1)
    await expect(
      a.cache<number>().update('k', increment, { signal: request.signal }),
    ).rejects.toThrow('gone')
  })

  it('is told of as a put, with the new value', async () => {
    const [a] = await start()
    const told: unknown[] = []
    a.caches.on('put', ({ key, outcome, value }) => told.push([key, outcome, value]))
    await a.cache<number>().update('k', increment)
    await a.cache<number>().update('k', increment, { ttl: 0 })
    expect(told).toEqual([
      ['c:k', 'stored', 1],
      ['c:k', 'not-kept', 2],
    ])
  })

  it('writes nothing when its signal ends it between two tries', async () => {
    const [a, b] = await start()
    await a.cache<number>().set('k', 1)
    const request = new AbortController()
    let tries = 0
    const change = async (old = 0): Promise<number> => {
      tries += 1
      await b.cache<number>().set('k', tries)
      if (tries === 2) request.abort(new Error('gone'))
      return old + 1
    }
    const updating = a.cache<number>().update('k', change, { signal: request.signal })
    await expect(updating).rejects.toThrow('gone')
    await a.cache<number>().update('other', increment)
    expect(tries).toBe(2)
    await has(b.cache(), 2)
  })

  it('in a unit of work evicts the key at its end, as a set does', async () => {
    const [a, b] = await start()
    await a.cache<number>().set('k', 1)
    const made = await a.caches.deferEvictions(async () => {
      const value = await a.cache<number>().update('k', increment)
      await has(b.cache(), 1)
      return value
    })
    expect(made).toBe(2)
    for (const node of [a, b]) await has(node.cache(), undefined)
  })

  it('changes nothing when the value cannot be kept', async () => {
    const [a] = await start()
    const here = a.cache<unknown>({ maxValueBytes: 1_000 })
    await here.set('k', 1)
    await expect(here.update('k', () => () => 1)).rejects.toThrow(ValueError)
    await expect(here.update('k', () => 'x'.repeat(2_000))).rejects.toThrow(UpdateFailedError)
    expect(await here.get('k')).toBe(1)
  })

  it('refuses a cache that stays in its process, and options that it does not know', async () => {
    const [a] = await start()
    const alone = a.caches.cache<number>('alone', { remote: false })
    await expect(alone.update('k', increment)).rejects.toThrow(/cache\(alone\)\.remote/)
    const here = a.cache<number>()
    for (const options of [
      { retries: -1 },
      { retries: 1.5 },
      { retires: 3 },
      { ttl: 'soon' },
      { signal: {} },
    ]) {
      const updating = here.update('k', increment, options as never)
      await expect(updating).rejects.toThrow(InvalidOptionError)
    }
    await expect(here.update('k', 'no function' as never)).rejects.toThrow(InvalidOptionError)
  })
})
