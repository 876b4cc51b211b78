/** What a loader returns comes back the same from any tier, in any configuration, or the call fails and names the place. */

import { isDeepStrictEqual } from 'node:util'
import {
  type CacheManager,
  type CacheManagerOptions,
  createCacheManager,
  ValueError,
} from '@larder/core'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { fromKeyv } from '@larder/keyv-store'
import { lruStore } from '@larder/local-store'
import { compression } from '@larder/plugins/compression'
import { msgpackCodec, redisStore } from '@larder/redis-store'
import Keyv from 'keyv'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { money, VALUE_CASES, type ValueCase } from './catalogue.ts'

type Tiers = Partial<CacheManagerOptions>

const ISOLATIONS = ['frozen', 'shared', 'cloned'] as const

/** What two nodes are made of. */
const SHARED: Readonly<Record<string, () => readonly [Tiers, Tiers]>> = {
  Redis: () => [{ remote: redis() }, { remote: redis() }],
  'Redis, compressed': () => {
    const make = (): Tiers => ({ remote: redis(), plugins: [compression({ threshold: 1 })] })
    return [make(), make()]
  },
  'a store in memory': () => {
    const server = new MemoryServer()
    const make = (): Tiers => ({ remote: server.store(), codec: structuredCodec })
    return [make(), make()]
  },
  Keyv: () => {
    const map = new Map()
    const make = (): Tiers => ({ remote: fromKeyv(new Keyv(map)), codec: msgpackCodec })
    return [make(), make()]
  },
}

const redis = () => redisStore({ url: inject('redisUrl') })

describe.each(Object.entries(SHARED))('with %s', (_, tiers) => {
  it('every value comes back the same on both nodes, or is refused at its place', async () => {
    for (const isolation of ISOLATIONS) {
      const namespace = freshNamespace()
      const managers = tiers().map((parts) => managerOf({ ...parts, namespace }))
      // What is loaded before the first contact with a store is not believed afterwards.
      await Promise.all(managers.map((caches) => caches.ready()))
      const [a, b] = managers.map((caches) => cacheIn(caches, isolation))
      for (const value of VALUE_CASES) {
        const first = a?.getOrLoad(value.name, () => value.make())
        if (value.refusedAt !== undefined) {
          await expectRefusal(first, value, isolation)
          continue
        }
        expectSame(await first, value, `${isolation}, loaded`)
        expectSame(await a?.getOrLoad(value.name, never), value, `${isolation}, kept here`)
        const found = await eventuallyThere(() => b?.get(value.name))
        expectSame(found, value, `${isolation}, from the store`)
        await b?.set(`${value.name} again`, found)
        expectSame(await a?.get(`${value.name} again`), value, `${isolation}, set there`)
      }
    }
  })
})

describe('in process', () => {
  it.each(ISOLATIONS)(
    '%s: every value comes back as it was, if nothing is checked',
    async (isolation) => {
      const cache = cacheOf({ namespace: 'in-process', strictValues: false }, isolation)
      for (const value of VALUE_CASES) {
        const made = value.make()
        const found = [
          await cache.getOrLoad(value.name, () => made),
          await cache.getOrLoad(value.name, never),
        ]
        for (const each of found) {
          if (isolation !== 'cloned') expect(each, value.name).toBe(made)
          else if (value.isSame !== undefined) expectSame(each, value, isolation)
          else expect(isDeepStrictEqual(each, made), value.name).toBe(true)
        }
        await cache.set(value.name, made)
      }
    },
  )

  it.each(ISOLATIONS)(
    '%s: what a shared tier refuses is refused, if values are checked',
    async (isolation) => {
      const cache = cacheOf({ namespace: 'strict' }, isolation)
      for (const value of VALUE_CASES) {
        const loading = cache.getOrLoad(value.name, () => value.make())
        if (value.refusedAt === undefined) expectSame(await loading, value, isolation)
        else await expectRefusal(loading, value, isolation)
      }
    },
  )

  it('a cache that never leaves the process takes anything', async () => {
    const caches = managerOf({ namespace: 'stays' })
    const cache = caches.cache('c', { remote: false })
    const refused = VALUE_CASES.filter(({ refusedAt }) => refusedAt !== undefined)
    for (const { name, make } of refused) {
      await expect(cache.getOrLoad(name, make), name).resolves.toBeDefined()
    }
  })

  it('a store that measures bytes takes anything', async () => {
    const local = lruStore({ maxBytes: '1mb' })
    const caches = managerOf({ namespace: 'measured', local, strictValues: false })
    const cache = caches.cache('c')
    for (const { name, make } of VALUE_CASES) {
      await expect(
        cache.getOrLoad(name, async () => ({ value: make() })),
        name,
      ).resolves.toBeDefined()
    }
  })
})

function cacheOf(options: Tiers & { namespace: string }, isolation: (typeof ISOLATIONS)[number]) {
  return cacheIn(managerOf(options), isolation)
}

function cacheIn(caches: CacheManager, isolation: (typeof ISOLATIONS)[number]) {
  return caches.cache('c', { isolation, maxStaleness: '1d' })
}

function managerOf(options: Tiers & { namespace: string }) {
  const caches = createCacheManager({
    local: lruStore({ maxEntries: 1_000 }),
    types: [money],
    default: false,
    storeTimeout: '30s',
    ...options,
  })
  onTestFinished(() => caches.close())
  return caches
}

/** Fills go on behind the caller who loaded. */
async function eventuallyThere(read: () => Promise<unknown> | undefined): Promise<unknown> {
  for (;;) {
    const found = await read()
    if (found !== undefined) return found
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function expectSame(found: unknown, { name, make, isSame }: ValueCase, where: string): void {
  const same = isSame === undefined ? isDeepStrictEqual(found, make()) : isSame(found)
  expect(same, `${name}, ${where}`).toBe(true)
}

async function expectRefusal(
  call: Promise<unknown> | undefined,
  { name, refusedAt }: ValueCase,
  where: string,
): Promise<void> {
  const error: unknown = await call?.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error, `${name}, ${where}`).toBeInstanceOf(ValueError)
  const { path, message, key } = error as ValueError
  expect([path, key], `${name}, ${where}`).toEqual([refusedAt, `c:${name}`])
  expect(message).toContain('cache(c), cache c: ')
}

const never = (): never => {
  throw new Error('must not load')
}
