/** Any Keyv backend does what it claims to, and says what it cannot. */

import { createCacheManager } from '@larder/core'
import type { RemoteStore } from '@larder/core/store'
import {
  engineCases,
  ManualClock,
  remoteStoreCases,
  runCases,
  structuredCodec,
} from '@larder/core/testing'
import { type FromKeyvOptions, fromKeyv, type KeyvLike } from '@larder/keyv-store'
import { lruStore } from '@larder/local-store'
import Keyv, { KeyvBridgeAdapter } from 'keyv'
import { describe, expect, it, onTestFinished, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'

const HARD = { soft: false, settleMs: 0 }
const ADDRESS = { partition: 1, key: 'c:k' }

/** A backend that is reached by promises and can do nothing but the least. */
function plainBackend(values = new Map<string, unknown>()) {
  const backend = {
    isBroken: false,
    get: async (key: string) => backend.check() ?? values.get(key),
    set: async (key: string, value: unknown) => void (backend.check() ?? values.set(key, value)),
    delete: async (key: string) => backend.check() ?? values.delete(key),
    clear: async () => values.clear(),
    check(): undefined {
      if (backend.isBroken) throw new Error('the backend is down')
    },
  }
  return backend
}

/** A backend whose answers take a turn of the event loop, as a network's do. */
function laterBackend(values: Map<string, unknown>) {
  const later = () => new Promise((resolve) => setImmediate(resolve))
  return {
    get: async (key: string) => later().then(() => values.get(key)),
    set: async (key: string, value: unknown) => later().then(() => void values.set(key, value)),
    delete: async (key: string) => later().then(() => values.delete(key)),
    clear: async () => values.clear(),
  }
}

const BACKENDS: Readonly<Record<string, () => [KeyvLike, KeyvLike, FromKeyvOptions?]>> = {
  'over a Map': () => {
    const map = new Map()
    return [new Keyv(map), new Keyv(map)]
  },
  'over a Map, in a namespace of its own and without a serializer': () => {
    const map = new Map()
    const make = () => new Keyv(map, { namespace: 'own', serialization: false })
    return [make(), make(), { values: 'binary' }]
  },
  'over a Map, as Buffers': () => {
    const map = new Map()
    return [new Keyv(map), new Keyv(map), { values: 'binary' }]
  },
  'over a backend that answers a while later': () => {
    const values = new Map<string, unknown>()
    const make = () => new Keyv(new KeyvBridgeAdapter(laterBackend(values) as never))
    return [make(), make()]
  },
  'over something that has neither getMany nor an iterator': () => {
    const map = new Map()
    return [wrapped(map), wrapped(map)]
  },
}

function wrapped(map: Map<string, unknown>): KeyvLike {
  const { get, set, delete: remove } = bound(new Keyv(map))
  return { get, set, delete: remove }
}

function bound(keyv: Keyv): Required<Pick<KeyvLike, 'get' | 'set' | 'delete'>> {
  return {
    get: (key) => keyv.get(key),
    set: (key, value, ttlMs) => keyv.set(key, value, ttlMs),
    delete: (key) => keyv.delete(key),
  }
}

describe.each(Object.entries(BACKENDS))('fromKeyv %s', (_, backend) => {
  const makeStores = () => {
    const [first, second, options] = backend()
    const stores = [fromKeyv(first, options), fromKeyv(second, options)] as const
    return { stores, namespace: freshNamespace() }
  }
  runCases(remoteStoreCases(makeStores), { test })
  runCases(engineCases(makeStores), { test })
})

describe('fromKeyv', () => {
  it('claims only what a key-value store can promise', () => {
    const none = { leases: false, sequences: false, tags: false, publishes: false }
    const unable = new Keyv(new KeyvBridgeAdapter(plainBackend() as never))
    expect(fromKeyv(new Keyv()).capabilities).toEqual({ ...none, scans: true })
    expect(fromKeyv(unable).capabilities).toEqual({ ...none, scans: false })
    expect(fromKeyv(wrapped(new Map())).capabilities).toEqual({ ...none, scans: false })
  })

  it('rejects what Keyv only reports as an event', async () => {
    const backend = plainBackend()
    const store = opened(new Keyv(new KeyvBridgeAdapter(backend as never)))
    await store.sync([])
    backend.isBroken = true
    const calls = [
      () => store.read([ADDRESS]),
      () => store.read([ADDRESS, { partition: 1, key: 'c:other' }]),
      () => store.evict([ADDRESS], HARD),
      () => store.evict([ADDRESS, { partition: 2, key: 'c:other' }], HARD),
      () => store.put(ADDRESS, { bytes: Buffer.alloc(60), livesMs: 1_000, since: 0 }),
      () => store.bumpTags(['t'], 0, 1_000),
      () => store.sync([]),
    ]
    for (const call of calls) await expect(call()).rejects.toThrow('The Keyv backend')
    backend.isBroken = false
    for (const call of calls) await expect(call()).resolves.toBeDefined()
  })

  it('leaves the Keyv to its owner: not closed, and no listener left behind', async () => {
    const keyv = new Keyv()
    const store = opened(keyv)
    await store.bumpTags(['t'], 0, 1_000)
    const listening = keyv.listeners('error').length
    await store.close()
    expect(keyv.listeners('error').length).toBe(listening - 1)
    expect(await keyv.set('mine', 1)).toBe(true)
  })

  it('invalidates again what another process overwrote', async () => {
    const map = new Map<string, unknown>()
    const backend = plainBackend(map)
    const store = opened(new Keyv(new KeyvBridgeAdapter(backend as never)))
    await store.sync([])
    const before = new Map(map)
    const bump = await store.bumpTags(['lost'], 0, 3_600_000)
    for (const [key, value] of before) map.set(key, value)
    const { tags } = await store.sync([])
    expect(tags?.version).toBeGreaterThan(bump.version)
    expect((await store.tagsSince(bump.version)).tags.map(([tag]) => tag)).toEqual(['lost'])
  })

  it('begins a new history when the tag clock is lost or unreadable', async () => {
    for (const wreck of ['', '{"version":1}', 'null', undefined]) {
      const keyv = new Keyv()
      const store = opened(keyv)
      const { version } = await store.bumpTags(['t'], 0, 3_600_000)
      if (wreck === undefined) await keyv.clear()
      else await keyv.set('ns:tags', wreck)
      expect((await opened(keyv).sync([])).tags?.floor).toBeGreaterThan(version)
    }
  })

  it('refuses fills of loads that began before a change made in this process', async () => {
    const changes: Readonly<Record<string, (store: RemoteStore) => Promise<unknown>>> = {
      evict: (store) => store.evict([ADDRESS], HARD),
      soften: (store) => store.evict([ADDRESS], { ...HARD, soft: true }),
      put: (store) => store.put(ADDRESS, { bytes: Buffer.alloc(60), livesMs: 1_000, since: 0 }),
      release: (store) => store.release(ADDRESS, 7),
    }
    for (const [name, change] of Object.entries(changes)) {
      const store = opened(new Keyv())
      await store.claim(ADDRESS, { token: 7, leaseMs: 1_000, seen: 0, overtake: 0 })
      expect(await store.renew(ADDRESS, 7, 1_000), name).toBe(true)
      await change(store)
      expect(await store.renew(ADDRESS, 7, 1_000), name).toBe(false)
      expect((await store.fill(ADDRESS, 7, Buffer.alloc(60), 1_000)).stored, name).toBe(false)
    }
  })

  it('does not let an evict overtake a fill that was called before it', async () => {
    const keyv = new Keyv()
    // A backend that takes its time over writing, as one that compresses does.
    const slow: KeyvLike = {
      get: (key) => keyv.get(key),
      delete: (key) => keyv.delete(key),
      set: async (key, value, ttlMs) => {
        await new Promise((resolve) => setImmediate(resolve))
        return keyv.set(key, value, ttlMs)
      },
    }
    const store = opened(slow)
    await store.claim(ADDRESS, { token: 7, leaseMs: 1_000, seen: 0, overtake: 0 })
    const filling = store.fill(ADDRESS, 7, Buffer.alloc(60), 1_000)
    await store.evict([ADDRESS], HARD)
    expect((await filling).stored).toBe(true)
    expect(await store.read([ADDRESS])).toEqual([undefined])
  })

  it('turns a put of a value made earlier into an evict: nobody can tell what happened since', async () => {
    const store = opened(new Keyv())
    const bytes = Buffer.alloc(60)
    await store.put(ADDRESS, { bytes, livesMs: 1_000, since: 0 })
    expect((await store.put(ADDRESS, { bytes, livesMs: 1_000, since: 5 })).stored).toBe(false)
    expect(await store.read([ADDRESS])).toEqual([undefined])
  })

  it('refuses what is no Keyv, and options it does not know', () => {
    expect(() => fromKeyv({} as KeyvLike)).toThrow('fromKeyv.keyv takes a Keyv')
    expect(() => fromKeyv(new Keyv(), { value: 'binary' } as FromKeyvOptions)).toThrow('values?')
    expect(() => fromKeyv(new Keyv(), { values: 'hex' as 'binary' })).toThrow('fromKeyv.values')
  })
})

describe('two nodes on one Keyv', () => {
  it('share values, and see evictions by key and by tag once maxStaleness is over', async () => {
    const clock = new ManualClock()
    const map = new Map()
    const namespace = freshNamespace()
    const [a, b] = [node(), node()].map((caches) => caches.cache<string>('c'))
    let loads = 0
    let source = 'one'
    const load = async (): Promise<string> => {
      loads += 1
      return source
    }

    const read = async (cache: typeof a): Promise<string | undefined> => {
      const value = cache?.getOrLoad('k', load, { tags: () => ['t'] })
      await clock.advanceAsync(0)
      return value
    }
    expect([await read(a), await read(b), loads]).toEqual(['one', 'one', 1])

    for (const evict of [() => a?.evict('k'), () => a?.evictTags(['t'])]) {
      source = `${source}+`
      await evict()
      expect(await read(a)).toBe(source)
      await clock.advanceAsync(2_000)
      expect(await read(b)).toBe(source)
    }

    function node() {
      return nodeOver(new Keyv(map), namespace, clock)
    }
  })

  it('hear of tags that are evicted after a time when the tag clock could not be written', async () => {
    const clock = new ManualClock()
    const map = new Map<string, unknown>()
    const namespace = freshNamespace()
    const clockKey = `${namespace}:tags`
    // Numbers that no clock here has come to yet: another node's is an hour ahead.
    const version = Date.now() * 1_000 + 3_600_000_000
    await new Keyv(map).set(
      clockKey,
      JSON.stringify({ version, floor: 1, retentionMs: 7_200_000, tags: [] }),
    )
    let isDown = false
    const a = nodeOver(
      failingFor(new Keyv(map), clockKey, () => isDown),
      namespace,
      clock,
    )
    const b = nodeOver(new Keyv(map), namespace, clock)
    const [one, two] = [a.cache<string>('c'), b.cache<string>('c')]
    let source = 'old'
    const read = async (cache: typeof one): Promise<string> => {
      const value = cache.getOrLoad('k', async () => source, { tags: ['t'] })
      await clock.advanceAsync(0)
      return value
    }
    await read(two)
    isDown = true
    for (let i = 0; i < 12; i++) await one.evictTags(['other', 't'])
    // Born at numbers that only this node knows.
    await read(one)
    isDown = false
    source = 'new'
    await two.evictTags(['t'])
    for (let i = 0; i < 4; i++) await clock.advanceAsync(2_000)
    expect([await read(one), await read(two)]).toEqual(['new', 'new'])
  })
})

/** A node on a clock that is moved by hand; it ends with the test. */
function nodeOver(keyv: KeyvLike, namespace: string, clock: ManualClock) {
  const caches = createCacheManager({
    namespace,
    remote: fromKeyv(keyv),
    clock,
    codec: structuredCodec,
    local: lruStore(),
    default: false,
    defaults: { ttl: '1h', jitter: 0 },
  })
  onTestFinished(async () => {
    const closing = caches.close()
    await clock.advanceAsync(60_000)
    await closing
  })
  return caches
}

/** A Keyv that does not write one key while `isDown` says so. */
function failingFor(keyv: Keyv, key: string, isDown: () => boolean): KeyvLike {
  return {
    ...bound(keyv),
    set: async (name, value, ttlMs) => {
      if (name === key && isDown()) throw new Error('the backend is down')
      return keyv.set(name, value, ttlMs)
    },
  }
}

function opened(keyv: KeyvLike): RemoteStore {
  const store = fromKeyv(keyv)
  store.open('ns')
  return store
}
