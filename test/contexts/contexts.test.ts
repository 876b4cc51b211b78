/**
 * The user's code runs in the async context of the call that began it, whatever was gathered with other callers' work on the
 * way. Two tenants, each with keys of its own: nothing that runs for a key of the one may run as the other.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { type CacheManagerOptions, type CacheOptions, createCacheManager } from '@larder/core'
import { type FaultyRemoteStore, faultyRemoteStore, MemoryServer } from '@larder/core/testing'
import { fromKeyv } from '@larder/keyv-store'
import { lruStore } from '@larder/local-store'
import { msgpackCodec, redisStore } from '@larder/redis-store'
import Keyv from 'keyv'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'

const tenant = new AsyncLocalStorage<string>()
const TENANTS = ['alice', 'bob', 'carol'] as const

/** What ran for whom, and as whom. */
class Witness {
  readonly seen: string[] = []

  note(what: string, key: string): void {
    this.seen.push(`${what} for ${key.split(':')[0]} as ${tenant.getStore() ?? 'nobody'}`)
  }

  /** Callbacks of a call, each noting who it runs as. */
  rules(key: string) {
    return {
      tags: () => {
        this.note('tags', key)
        return []
      },
      ttl: () => {
        this.note('ttl', key)
        return undefined
      },
    }
  }

  count(what: string): number {
    return this.seen.filter((line) => line.startsWith(what)).length
  }

  expectEachAsItself(): void {
    const wrong = this.seen.filter((line) => !/ for (\w+) as \1$/.test(line))
    expect(wrong).toEqual([])
  }
}

/** Does something as every tenant in one tick. */
function asEach<Result>(work: (name: string) => Promise<Result>): Promise<Result[]> {
  return Promise.all(TENANTS.map((name) => tenant.run(name, () => work(name))))
}

interface Place {
  /** Makes stores of one server, one a node. */
  readonly store: () => CacheManagerOptions['remote']
  readonly codec?: CacheManagerOptions['codec']
}

const PLACES: Readonly<Record<string, () => Place>> = {
  Redis: () => ({ store: () => redisStore({ url: inject('redisUrl') }) }),
  'a store in memory': () => {
    const server = new MemoryServer()
    return { store: () => server.store(), codec: msgpackCodec }
  },
  Keyv: () => {
    const map = new Map()
    return { store: () => fromKeyv(new Keyv(map)), codec: msgpackCodec }
  },
  'no store': () => ({ store: () => undefined }),
}

describe.each(Object.entries(PLACES))(
  'with %s, the user’s code runs as its caller',
  (_, makePlace) => {
    function start(policy: CacheOptions = {}) {
      const place = makePlace()
      const namespace = freshNamespace()
      const nodes = [0, 1].map(() => {
        const remote = place.store()
        const faulty: FaultyRemoteStore | undefined = remote && faultyRemoteStore(remote)
        const caches = createCacheManager({
          namespace,
          local: lruStore(),
          remote: faulty,
          codec: remote === undefined ? undefined : place.codec,
          default: false,
          storeTimeout: '2s',
          defaults: { ttl: '1h', jitter: 0, ...policy },
        })
        onTestFinished(() => caches.close())
        return { caches, faults: faulty?.faults, cache: caches.cache<unknown>('c', policy) }
      })
      const [first, second] = nodes
      if (first === undefined || second === undefined) throw new Error('Two nodes')
      return { first, second }
    }

    const load = (witness: Witness, key: string) => async () => {
      witness.note('load', key)
      return { key }
    }

    it('on a miss, with the callbacks about what is kept', async () => {
      const { first } = start()
      const witness = new Witness()
      for (let i = 0; i < 20; i++) {
        await asEach((name) => {
          const key = `${name}:${i}`
          return first.cache.getOrLoad(key, load(witness, key), witness.rules(key))
        })
      }
      witness.expectEachAsItself()
      expect([witness.count('load'), witness.count('tags'), witness.count('ttl')]).toEqual([
        60, 60, 60,
      ])
    })

    it('when a load fails and what is remembered of it is asked for', async () => {
      const witness = new Witness()
      const { first } = start({
        cacheErrors: (error) => {
          witness.note('cacheErrors', (error as Error).message)
          return '1m'
        },
      })
      const outcomes = await asEach((name) =>
        first.cache
          .getOrLoad(`${name}:e`, () => Promise.reject(new Error(`${name}:e`)))
          .catch((error: Error) => error.message),
      )
      expect(outcomes).toEqual(TENANTS.map((name) => `${name}:e`))
      witness.expectEachAsItself()
      expect(witness.count('cacheErrors')).toBe(3)
    })

    it('when a value is refreshed behind the one who noticed that it is old', async () => {
      const { first } = start({ ttl: '20ms', staleWhileRevalidate: '1h' })
      const witness = new Witness()
      await eventually('every value was loaded again twice', async () => {
        await asEach((name) => first.cache.getOrLoad(`${name}:s`, load(witness, `${name}:s`)))
        return TENANTS.every(
          (name) =>
            witness.seen.filter((line) => line === `load for ${name} as ${name}`).length > 2,
        )
      })
      witness.expectEachAsItself()
    })

    it('when many are loaded together', async () => {
      const { first } = start()
      const witness = new Witness()
      for (let i = 0; i < 12; i++) {
        await asEach((name) =>
          first.cache.getManyOrLoad([`${name}:m${i}`, `${name}:n${i}`], async (missing) => {
            for (const key of missing) witness.note('load', String(key))
            return missing
          }),
        )
      }
      witness.expectEachAsItself()
      expect(witness.count('load')).toBe(72)
    })

    it('when it waits for somebody else’s load, and then loads for itself', async () => {
      const { first, second } = start({ leaseWait: '50ms' })
      const witness = new Witness()
      const stuck = deferred<string>()
      const holding = asEach((name) => first.cache.getOrLoad(`${name}:w`, () => stuck.promise))
      await eventually('the first node loads', () => first.caches.stats().loads === 3)
      await asEach((name) => second.cache.getOrLoad(`${name}:w`, load(witness, `${name}:w`)))
      stuck.resolve('late')
      await holding
      witness.expectEachAsItself()
      expect(witness.count('load')).toBe(3)
    })

    it('when the store fails at any step', async () => {
      const { first } = start()
      const witness = new Witness()
      await first.cache.getOrLoad('warm', () => 1)
      for (const [i, on] of (['read', 'claim', 'fill', 'readHeaders'] as const).entries()) {
        first.faults?.fail({ on, times: 2 })
        await asEach((name) =>
          first.cache.getOrLoad(`${name}:f${i}`, load(witness, `${name}:f${i}`)),
        )
        first.faults?.heal()
      }
      witness.expectEachAsItself()
      expect(witness.count('load')).toBe(12)
    })

    it('when its signal aborts: at the time limit, and at the end', async () => {
      const { first } = start({ loadTimeout: '50ms' })
      const { first: other } = start()
      const witness = new Witness()
      const hang =
        (key: string) =>
        ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              witness.note('abort', key)
              reject(new Error('over'))
            })
          })
      await asEach((name) => first.cache.getOrLoad(`${name}:t`, hang(`${name}:t`)).catch(() => 0))
      const hanging = asEach((name) =>
        other.cache.getOrLoad(`${name}:c`, hang(`${name}:c`)).catch(() => 0),
      )
      await eventually('all of them load', () => other.caches.stats().loads === 3)
      await other.caches.close()
      await hanging
      witness.expectEachAsItself()
      expect(witness.count('abort')).toBe(6)
    })

    it('nor are listeners given the context of any one caller, but that in which they began to listen', async () => {
      const { first } = start()
      const seen: (string | undefined)[] = []
      const listen = (): void => void seen.push(tenant.getStore())
      tenant.run('observer', () => {
        for (const name of ['miss', 'load', 'hit', 'coherence', 'bus', 'put'] as const)
          first.caches.on(name, listen)
      })
      await asEach((name) => first.cache.getOrLoad(`${name}:l`, () => name))
      await asEach((name) => first.cache.set(`${name}:l`, name))
      expect(seen.length).toBeGreaterThan(5)
      expect(new Set(seen)).toEqual(new Set(['observer']))
    })

    it('so that two callers are never inside one lock', async () => {
      const { store, codec } = makePlace()
      const remote = store()
      const namespace = freshNamespace()
      const parts = {
        namespace,
        local: lruStore(),
        remote,
        default: false,
        storeTimeout: '2s',
      } as const
      const caches = createCacheManager(remote === undefined ? parts : { ...parts, codec })
      onTestFinished(() => caches.close())
      // Where the store has none, locks of this process do.
      const { locks } =
        remote === undefined || remote.locks !== undefined
          ? caches
          : createCacheManager({ namespace, local: lruStore(), default: false })
      const cache = caches.cache('c')
      let inside = 0
      let most = 0
      const critical = async (): Promise<void> => {
        most = Math.max(most, ++inside)
        for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
        inside -= 1
      }
      await cache.getOrLoad('warm', () => 1)
      const started = deferred()
      const options = { lease: '20s', wait: '20s' } as const
      const holder = locks.run('till', options, async () => {
        started.resolve()
        // The first read of the tick: the replies of all come in its context.
        const reading = cache.getOrLoad('of-holder', async () => 1)
        await critical()
        await reading
      })
      const other = started.promise.then(() =>
        cache.getOrLoad('of-other', () => locks.run('till', options, critical)),
      )
      await Promise.all([holder, other])
      expect(most).toBe(1)
    })
  },
)
