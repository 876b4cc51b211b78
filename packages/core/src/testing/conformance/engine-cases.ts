/** The engine over a store: what two nodes do with it together, and that they come to rest. */

import assert from 'node:assert/strict'
import type { Cache } from '../../cache/cache.ts'
import type { LocalStore } from '../../contracts/local-store.ts'
import { createCacheManager } from '../../manager/cache-manager.ts'
import { ManualClock } from '../manual-clock.ts'
import { structuredCodec } from '../structured-codec.ts'
import { type ConformanceCase, PASSED } from './conformance-case.ts'
import { CountedStore } from './counted-store.ts'
import { eventually, settled } from './patience.ts'
import type { MakeRemoteStores } from './remote-store-cases.ts'

/** How many looks in a row without any call count as rest. */
const CALM_LOOKS = 4
const MAX_STALENESS_MS = 2_000
/** Less than a call may take: what begins in a step is answered before the next one, and its time is never over. */
const STEP_MS = 200
const ROUNDS = 12
/** Tags that look like what the engine itself writes into the tag table. */
const ODD_TAGS = ['t', '~', '\\~t', '*', '@c']

interface EngineCase {
  readonly name: string
  run(stage: EngineStage): Promise<void>
}

/** Two nodes over the stores under test, on a manual clock of their own. */
class EngineStage {
  readonly clock = new ManualClock()
  readonly stores: readonly [CountedStore, CountedStore]
  readonly caches: readonly [Cache<string>, Cache<string>]
  readonly #managers

  constructor(stores: readonly [CountedStore, CountedStore], namespace: string) {
    this.stores = stores
    const make = (store: CountedStore) =>
      createCacheManager({
        namespace,
        remote: store.store,
        local: mapStore(),
        codec: structuredCodec,
        clock: this.clock,
        default: false,
        defaults: { ttl: '1h', jitter: 0, maxStaleness: MAX_STALENESS_MS },
      })
    const [a, b] = [make(stores[0]), make(stores[1])]
    this.#managers = [a, b]
    this.caches = [a.cache('c'), b.cache('c')]
  }

  /** Resolves when neither node calls its store any more. */
  async rest(): Promise<void> {
    let calm = 0
    let before = -1
    await eventually('nothing calls the store', () => {
      const [a, b] = this.stores
      const calls = a.total + b.total
      calm = calls === before && a.underWay + b.underWay === 0 ? calm + 1 : 0
      before = calls
      return calm >= CALM_LOOKS
    })
  }

  /** Lets time pass for the nodes. It passes at once, and a store answers later: so only while nothing is under way. */
  async pass(ms: number): Promise<void> {
    await this.rest()
    for (let left = ms; left > 0; left -= STEP_MS) {
      await this.clock.advanceAsync(Math.min(STEP_MS, left))
      await this.rest()
    }
  }

  /** How often both nodes called these methods. */
  count(...methods: readonly string[]): number {
    const counts = this.stores.flatMap((store) => methods.map((name) => store.count(name)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Closing waits for what is under way, so its clock has to move. */
  async close(): Promise<void> {
    const closing = Promise.all(this.#managers.map((manager) => manager.close()))
    await this.clock.advanceAsync(60_000)
    await settled('the managers close', closing)
  }
}

const CASES: readonly EngineCase[] = [
  {
    name: 'the engine makes one call per change, however many follow one another',
    async run(stage) {
      const [a, b] = stage.caches
      await stage.rest()
      for (let i = 0; i < ROUNDS; i++) {
        await a.set('k', `a${i}`)
        // One that knows nothing of the other's change has to ask once more.
        await stage.rest()
        await b.set('k', `b${i}`)
        await stage.rest()
        await a.evict('k')
        await b.evict('other')
        await stage.rest()
      }
      assert.equal(stage.count('put', 'evict'), 4 * ROUNDS)
    },
  },
  {
    name: 'the engine finds on each node what was put last, and not what was evicted',
    async run(stage) {
      const [a, b] = stage.caches
      for (let i = 0; i < ROUNDS; i++) {
        await a.set('k', `a${i}`)
        await b.set('k', `b${i}`)
        await b.set('gone', `${i}`)
        await a.evict('gone')
      }
      await stage.rest()
      await stage.pass(2 * MAX_STALENESS_MS)
      const last = `b${ROUNDS - 1}`
      for (const cache of [a, b]) {
        const found = await cache.getMany(['k', 'gone'])
        assert.deepEqual(found, [last, undefined])
      }
    },
  },
  {
    name: 'the engine serves what was evicted softly when loads fail, and what was loaded since otherwise',
    async run(stage) {
      const { caches } = stage
      const [a] = caches
      await assertSoft(stage, {
        key: (key) => a.evict(key, { soft: true }),
        ...Object.fromEntries(
          ODD_TAGS.map((tag) => [tag, () => a.evictTags([tag], { soft: true })]),
        ),
      })
      await assertSoft(stage, { whole: () => a.clear({ soft: true }) })
    },
  },
  {
    name: 'the engine does nothing but look for news when nobody asks for anything',
    async run(stage) {
      const [a, b] = stage.caches
      for (let i = 0; i < ROUNDS; i++) {
        await a.getOrLoad('k', () => `a${i}`, { tags: ['t'] })
        await b.evictTags(['t'])
        await b.set('k', `b${i}`)
        await a.evict('k')
        await a.clear()
      }
      await stage.rest()
      await stage.pass(2 * MAX_STALENESS_MS)
      const before = stage.stores.map((store) => store.countsBesides('sync'))
      const syncs = stage.count('sync')
      await stage.pass(2 * MAX_STALENESS_MS)
      const after = stage.stores.map((store) => store.countsBesides('sync'))
      assert.deepEqual(after, before)
      assert(stage.count('sync') > syncs)
    },
  },
]

/** Has each key, which is a tag of its own as well, evicted softly in a way of its own, and looks at what both nodes make of it. */
async function assertSoft(
  stage: EngineStage,
  ways: Readonly<Record<string, (key: string) => Promise<void>>>,
): Promise<void> {
  const { caches } = stage
  const keys = Object.keys(ways)
  const read = (cache: Cache<string>, load: () => Promise<string>): Promise<string[]> => {
    const reads = keys.map((key) => cache.getOrLoad(key, load, { tags: [key] }))
    return settled('the reads end', Promise.all(reads))
  }
  const all = (value: string): string[] => keys.map(() => value)
  const down = (): Promise<never> => Promise.reject(new Error('down'))
  for (const cache of caches) assert.deepEqual(await read(cache, async () => 'old'), all('old'))
  await stage.rest()
  await Promise.all(Object.entries(ways).map(([key, evict]) => evict(key)))
  await stage.pass(MAX_STALENESS_MS)
  for (const cache of caches) {
    assert.deepEqual(
      await cache.getMany(keys),
      all('none').map(() => undefined),
    )
    assert.deepEqual(await read(cache, down), all('old'))
  }
  await stage.pass(MAX_STALENESS_MS)
  for (const cache of caches) await read(cache, async () => 'new')
  await stage.rest()
  for (const cache of caches) assert.deepEqual(await read(cache, down), all('new'))
}

/**
 * Returns what the engine must manage over a store, whatever that claims: two nodes that put, evict and read, and rest
 * afterwards. Beside `remoteStoreCases`, which holds the store to its contract method by method.
 *
 * @param makeStores is called once per case.
 * @example runCases(engineCases(() => ({ stores: [myStore(), myStore()], namespace: randomUUID() })), { test })
 */
export function engineCases(makeStores: MakeRemoteStores): readonly ConformanceCase[] {
  return CASES.map(({ name, run }) => ({
    name,
    async run() {
      const { stores, namespace, cleanup } = await makeStores()
      const counted = [new CountedStore(stores[0]), new CountedStore(stores[1])] as const
      const stage = new EngineStage(counted, namespace)
      try {
        await run(stage)
        return PASSED
      } finally {
        await stage.close()
        await cleanup?.()
      }
    },
  }))
}

/** A local tier that holds whatever it is given. */
function mapStore(): LocalStore {
  const entries = new Map<string, object>()
  return {
    name: 'map',
    bytes: 0,
    measuresBytes: false,
    get: (key) => entries.get(key),
    peek: (key) => entries.get(key),
    set: (key, entry) => void entries.set(key, entry),
    delete: (key) => entries.delete(key),
    clear: () => entries.clear(),
    keys: () => entries.keys(),
    get size() {
      return entries.size
    },
  }
}
