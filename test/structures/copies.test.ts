/** Copies in the process: reads without a round trip, and never of what was changed through Larder. */

import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type CacheManagerOptions,
  ClosedError,
  createCacheManager,
  InvalidOptionError,
  StructureUnavailableError,
} from '@larder/core'
import type { StructureProvider } from '@larder/core/store'
import { ManualClock } from '@larder/core/testing'
import { fromKeyv } from '@larder/keyv-store'
import { localStructures, lruStore } from '@larder/local-store'
import { createList, createMap, createSet } from '@larder/plugins/structures'
import { msgpackCodec, redisStore, redisStructures } from '@larder/redis-store'
import Keyv from 'keyv'
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { openStructures, PLACES } from './support/stage.ts'

type Numbers = Record<string, number>
const OPTIONS = { name: 'm', ttl: '1h', localCopy: '10m', storeTimeout: '10s' } as const

/** A provider whose calls are counted, and can be held up. */
function watched(inner: StructureProvider) {
  const reads: string[] = []
  const held = {
    put: undefined as Promise<void> | undefined,
    read: undefined as Promise<void> | undefined,
  }
  const provider: StructureProvider = {
    name: inner.name,
    capabilities: inner.capabilities,
    open: (namespace) => inner.open(namespace),
    put: async (...call) => {
      await held.put
      return inner.put(...call)
    },
    remove: (...call) => inner.remove(...call),
    clear: (...call) => inner.clear(...call),
    read: async (...call) => {
      reads.push(call[1])
      const answer = await inner.read(...call)
      await held.read
      return answer
    },
    close: () => inner.close(),
  }
  return { provider, reads, held }
}

function openWatched(options: Partial<CacheManagerOptions> = {}) {
  const { provider, reads, held } = watched(localStructures())
  const caches = openStructures('in process', { structures: provider, ...options })
  return { caches, map: createMap<Numbers>(caches, OPTIONS), reads, held }
}

it('answers all reads of a structure after one question, until it is changed', async () => {
  const { map, caches, reads } = openWatched()
  const set = createSet<string>(caches, { ...OPTIONS, name: 's' })
  const list = createList<string>(caches, { ...OPTIONS, name: 'l' })
  await map.set('u', { a: 1, b: 2 })
  await set.addMany('u', ['x', 'y'])
  await list.pushMany('u', ['x', 'y'])
  for (let n = 0; n < 2; n++) {
    expect(await map.get('u', 'a')).toBe(1)
    expect(await map.get('u', 'x')).toBeUndefined()
    expect(await map.getMany('u', ['b', 'x'])).toEqual({ b: 2 })
    expect(await map.getAll('u')).toEqual({ a: 1, b: 2 })
    expect(await map.count('u')).toBe(2)
    expect(await set.hasMany('u', ['x', 'z'])).toEqual([true, false])
    expect(await set.members('u')).toEqual(['x', 'y'])
    expect((await list.items('u', { skip: 1 })).map(({ value }) => value)).toEqual(['x'])
    expect(await list.count('u')).toBe(2)
    // What is not there is known as well.
    expect(await map.get('nobody', 'a')).toBeUndefined()
  }
  expect(reads).toEqual(['u', 'u', 'u', 'nobody'])
})

it('shows each change of this node at once', async () => {
  const { map } = openWatched()
  const changes: (readonly [change: () => Promise<unknown>, then: Numbers])[] = [
    [() => map.set('u', { a: 1, b: 1 }), { a: 1, b: 1 }],
    [() => map.update('u', 'a', (a = 0) => a + 1), { b: 1, a: 2 }],
    [() => map.delete('u', 'b'), { a: 2 }],
    [() => map.clear('u'), {}],
  ]
  for (const [change, then] of changes) {
    await map.getAll('u')
    await change()
    expect(await map.getAll('u')).toEqual(then)
  }
})

it('does not keep what was read before a change, and arrived after it', async () => {
  const { map, held } = openWatched()
  await map.set('u', { a: 1 })
  const gate = deferred<void>()
  held.read = gate.promise
  const early = map.get('u', 'a')
  held.read = undefined
  await map.set('u', { a: 2 })
  gate.resolve()
  expect(await early).toBe(1)
  expect(await map.get('u', 'a')).toBe(2)
})

it('shows a change that was made after it was given up', async () => {
  const { map: patient, caches, held } = openWatched()
  const map = createMap<Numbers>(caches, { ...OPTIONS, storeTimeout: '20ms' })
  await map.set('u', { a: 1 })
  const gate = deferred<void>()
  held.put = gate.promise
  await expect(map.set('u', { a: 2 })).rejects.toThrow(StructureUnavailableError)
  expect(await patient.get('u', 'a')).toBe(1)
  gate.resolve()
  await eventually('the late change shows', async () => (await patient.get('u', 'a')) === 2)
})

it('changes at once within a unit of work, for everybody', async () => {
  const { map, caches } = openWatched()
  await map.set('u', { a: 1 })
  expect(await map.get('u', 'a')).toBe(1)
  const outside = deferred<void>()
  const look = outside.promise.then(() => map.get('u', 'a'))
  await caches.deferEvictions(async () => {
    await map.set('u', { a: 2 })
    expect(await map.get('u', 'a')).toBe(2)
    outside.resolve()
    expect(await look).toBe(2)
  })
})

it('is dropped in every scope, and whatever the defaults of the manager say', async () => {
  const tenant = new AsyncLocalStorage<string>()
  const clock = new ManualClock()
  const { map, reads, held, caches } = openWatched({
    clock,
    defaults: {
      scope: () => tenant.getStore() ?? 'none',
      isolation: 'cloned',
      toPlain: (value: unknown) => JSON.stringify(value),
      fromPlain: (plain: string) => JSON.parse(plain) as unknown,
      cacheErrors: () => '1h',
      negativeTtl: '1h',
      staleWhileRevalidate: '1h',
      staleIfError: '1h',
      refreshAhead: 5,
      loadTimeout: 1,
      hardTimeout: 1,
      local: false,
    },
  })
  await tenant.run('a', () => map.set('u', { a: 1 }))
  for (const each of ['a', 'b']) expect(await tenant.run(each, () => map.get('u', 'a'))).toBe(1)
  expect(reads).toHaveLength(1)
  await tenant.run('a', () => map.set('u', { a: 2 }))
  for (const each of ['b', 'a']) expect(await tenant.run(each, () => map.get('u', 'a'))).toBe(2)
  const list = createList<{ readonly n: number }>(caches, { ...OPTIONS, name: 'l' })
  await list.push('u', { n: 1 })
  const [one, two] = [await list.items('u'), await list.items('u')]
  expect(one[0]?.value).toBe(two[0]?.value)
  // A read takes as long as the store may, and no defaults of loads end it.
  const gate = deferred<void>()
  held.read = gate.promise
  const slow = map.get('slow', 'a')
  await eventually('it is read', () => reads.includes('slow'))
  await clock.advance(1_000)
  gate.resolve()
  expect(await slow).toBeUndefined()
})

it('does not outlive what it is a copy of', async () => {
  const clock = new ManualClock()
  const caches = openStructures('in process', {
    clock,
    structures: localStructures({ now: () => clock.now() }),
  })
  const map = createMap<Numbers>(caches, { ...OPTIONS, ttl: '10s', localCopy: '1h' })
  await map.set('u', { a: 1 })
  await clock.advance(5_000)
  expect(await map.get('u', 'a')).toBe(1)
  await clock.advance(5_001)
  expect(await map.get('u', 'a')).toBeUndefined()
})

it.each([
  { of: 'its structure', ttl: '10s', localCopy: '1h' },
  { of: 'its own life', ttl: '1h', localCopy: '10s' },
] as const)(
  'is as old as the question that it answers: it does not outlive $of after a slow answer',
  async ({ ttl, localCopy }) => {
    const clock = new ManualClock()
    const { provider, reads, held } = watched(localStructures({ now: () => clock.now() }))
    const caches = openStructures('in process', { clock, structures: provider })
    const map = createMap<Numbers>(caches, { name: 'm', ttl, localCopy, storeTimeout: '1m' })
    await map.set('u', { a: 1 })
    const gate = deferred<void>()
    held.read = gate.promise
    const slow = map.get('u', 'a')
    await eventually('it is read', () => reads.length === 1)
    await clock.advance(8_000)
    held.read = undefined
    gate.resolve()
    expect(await slow).toBe(1)
    await clock.advance(1_000)
    await map.get('u', 'a')
    expect(reads).toHaveLength(1)
    await clock.advance(1_001)
    await map.get('u', 'a')
    expect(reads).toHaveLength(2)
  },
)

it('shows changes by other commands when it is as old as it was told', async () => {
  const clock = new ManualClock()
  const structures = localStructures({ now: () => clock.now() })
  const caches = openStructures('in process', { clock, structures })
  const map = createMap<Numbers>(caches, { ...OPTIONS, localCopy: '10s' })
  const direct = createMap<Numbers>(
    openStructures('in process', {
      namespace: caches.namespace,
      // The same structures: a provider itself belongs to one manager.
      structures: watched(structures).provider,
    }),
    {
      ...OPTIONS,
      localCopy: undefined,
    },
  )
  await map.set('u', { a: 1 })
  expect(await map.get('u', 'a')).toBe(1)
  await direct.set('u', { a: 2 })
  expect(await map.get('u', 'a')).toBe(1)
  await clock.advance(10_001)
  expect(await map.get('u', 'a')).toBe(2)
})

it('a failed read is no copy, and is not remembered', async () => {
  const { provider } = watched(localStructures())
  let isAway = true
  const caches = openStructures('in process', {
    structures: {
      ...provider,
      read: (...call) => (isAway ? Promise.reject(new Error('away')) : provider.read(...call)),
    },
    defaults: { cacheErrors: () => '1h' },
  })
  const map = createMap<Numbers>(caches, OPTIONS)
  await expect(map.get('u', 'a')).rejects.toThrow(StructureUnavailableError)
  isAway = false
  expect(await map.get('u', 'a')).toBeUndefined()
})

it('says the same after the end of the manager, with a copy and without', async () => {
  const { map, caches } = openWatched()
  const other = createMap<Numbers>(caches, { ...OPTIONS, name: 'other', localCopy: undefined })
  await map.set('u', { a: 1 })
  await map.get('u', 'a')
  await caches.close()
  for (const each of [map, other]) {
    const calls = [() => each.get('u', 'a'), () => each.set('u', { a: 2 }), () => each.clear('u')]
    for (const call of calls) await expect(call()).rejects.toThrow(StructureUnavailableError)
  }
  expect(() => createMap(caches, OPTIONS)).toThrow(ClosedError)
})

it('in process, a change by one manager drops the copies of all that share its structures', async () => {
  const namespace = freshNamespace()
  const managers = [1, 2].map(() => openStructures('in process', { namespace }))
  const [one, other] = managers.map((caches) => createMap<Numbers>(caches, OPTIONS))
  if (one === undefined || other === undefined) throw new Error('There are two')
  await one.set('u', { a: 1 })
  expect([await one.get('u', 'a'), await other.get('u', 'a')]).toEqual([1, 1])
  await one.set('u', { a: 2 })
  expect(await other.get('u', 'a')).toBe(2)
  await other.clear('u')
  expect(await one.get('u', 'a')).toBeUndefined()
  // Also one that is made just before its manager closes.
  await one.set('u', { a: 3 })
  expect(await other.get('u', 'a')).toBe(3)
  const last = one.set('u', { a: 4 })
  await Promise.all([managers[0]?.close(), last.catch(() => undefined)])
  await eventually('it shows', async () => (await other.get('u', 'a')) === 4)
})

it('in process, a change made with another copy of the package drops them, too', async () => {
  const namespace = freshNamespace()
  const [first, second] = [1, 2].map(() => openStructures('in process', { namespace }))
  if (first === undefined || second === undefined) throw new Error('There are two')
  vi.resetModules()
  const again = await import('@larder/plugins/structures')
  expect(again.createMap).not.toBe(createMap)
  const one = createMap<Numbers>(first, OPTIONS)
  const other = again.createMap<Numbers>(second, OPTIONS)
  await one.set('u', { a: 1 })
  expect([await one.get('u', 'a'), await other.get('u', 'a')]).toEqual([1, 1])
  await one.set('u', { a: 2 })
  expect(await other.get('u', 'a')).toBe(2)
})

describe('of two nodes', () => {
  it('a change on one drops the copy on the other', async () => {
    const namespace = freshNamespace()
    const nodes = [1, 2].map(() => openStructures('on Redis', { namespace }))
    const [one, other] = nodes.map((caches) => createMap<Numbers>(caches, OPTIONS))
    if (one === undefined || other === undefined) throw new Error('There are two')
    for (let n = 0; n < 10; n++) {
      const writer = n % 2 === 0 ? one : other
      const reader = n % 2 === 0 ? other : one
      await writer.set('u', { n })
      expect(await writer.get('u', 'n')).toBe(n)
      await eventually('the other node shows it', async () => (await reader.get('u', 'n')) === n)
    }
  })
})

describe.each(PLACES)('a manager that is switched off, %s', (place) => {
  it('has structures without copies', async () => {
    const map = createMap<Numbers>(openStructures(place, { enabled: false }), OPTIONS)
    await map.set('u', { a: 1 })
    expect(await map.getAll('u')).toEqual({ a: 1 })
    await map.set('u', { a: 2 })
    expect(await map.getAll('u')).toEqual({ a: 2 })
  })
})

it('is refused where it could not be kept, or not be kept true', async () => {
  const url = inject('redisUrl')
  const refused: readonly (readonly [Partial<CacheManagerOptions>, RegExp])[] = [
    [{ remote: redisStore({ url }) }, /createMap\.localCopy.*a local store/],
    [{ local: lruStore(), structures: redisStructures({ url }) }, /localCopy.*a remote store/],
    [
      {
        local: lruStore(),
        remote: fromKeyv(new Keyv()),
        codec: msgpackCodec,
        structures: redisStructures({ url }),
      },
      /localCopy.*a remote store that numbers changes/,
    ],
  ]
  for (const [stores, message] of refused) {
    const caches = createCacheManager({
      namespace: freshNamespace(),
      default: false,
      logger: false,
      ...stores,
    })
    onTestFinished(() => caches.close())
    expect(() => createMap(caches, OPTIONS)).toThrow(InvalidOptionError)
    expect(() => createMap(caches, OPTIONS)).toThrow(message)
    createMap(caches, { name: 'm', ttl: '1h' })
  }
})
