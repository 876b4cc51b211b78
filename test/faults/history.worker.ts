/** A node in a process of its own, under traffic; what happens on it is in its ledger. */

import { setTimeout as delay } from 'node:timers/promises'
import {
  Cacheable,
  CacheConfig,
  type CacheManager,
  CachePut,
  cached,
  createCacheManager,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { type RedisStoreOptions, redisStore } from '@larder/redis-store'
import { Cluster } from 'ioredis'
import { eventually } from '../support/eventually.ts'
import {
  EvictionTraffic,
  TRAFFIC_KEYS,
  type TrafficNode,
} from '../support/history/eviction-traffic.ts'
import { NodeLedger } from '../support/history/node-ledger.ts'
import { SharedSource } from '../support/history/shared-source.ts'
import { machineNow } from '../support/machine-clock.ts'
import { randomFrom } from '../support/seed.ts'

interface Address {
  readonly host: string
  readonly port: number
}

/** Which servers to use, by way of which proxies. */
export type Servers =
  | { readonly kind: 'standalone'; readonly url: string }
  | {
      readonly kind: 'cluster'
      readonly nodes: readonly Address[]
      readonly natMap: Readonly<Record<string, Address>>
    }
  | {
      readonly kind: 'sentinel'
      readonly sentinels: readonly Address[]
      readonly name: string
      readonly natMap: Readonly<Record<string, Address>>
    }

export interface HistoryWorkerInit {
  readonly servers: Servers
  readonly namespace: string
  readonly sourceDir: string
  readonly ledgerPath: string
  readonly seed: number
  readonly maxStalenessMs: number
  readonly leaseWaitMs: number
}

const LOAD_MS = 3
/** Some loads take longer, so that changes meet loads under way. */
const SLOW_LOAD_MS = 80
const SLOW_SHARE = 0.15
const READERS = 4
/** Slow enough that an entry is read many times before it is evicted. */
const WRITE_EVERY_MS = 60
const LONG_LOADS = 3
const KEYS_PER_SHELF = 5
const SHELF_MS = 1_000

let caches: CacheManager
let handedIn: Cluster | undefined
let ledger: NodeLedger
let random: () => number
let traffic: EvictionTraffic
let loadTime = usualLoadTime
let loading = 0
let trusts = false
const changing = new Set<Promise<unknown>>()

function shelfOf(key: string): string {
  return `shelf:${Math.floor(TRAFFIC_KEYS.indexOf(key) / KEYS_PER_SHELF)}`
}

/**
 * The keys of one shelf after the other, for all processes the same one: what a fault left of the others stays there to be
 * seen, instead of being evicted once more at once.
 */
function writtenNow(): readonly string[] {
  const shelf = Math.floor(machineNow() / SHELF_MS) % (TRAFFIC_KEYS.length / KEYS_PER_SHELF)
  return TRAFFIC_KEYS.slice(shelf * KEYS_PER_SHELF, (shelf + 1) * KEYS_PER_SHELF)
}

/** The application: what it reads is as old as the moment its load began. */
@CacheConfig({ cache: 'items' })
class Items {
  @Cacheable({ key: (key: string) => key, tags: (_: number, key: string) => [shelfOf(key)] })
  async find(key: string): Promise<number> {
    const version = ledger.load(key)
    loading += 1
    await delay(loadTime())
    loading -= 1
    return version
  }

  @CachePut({ key: (key: string) => key, tags: (_: number, key: string) => [shelfOf(key)] })
  async save(key: string, source: SharedSource): Promise<number> {
    return source.versionOf(key)
  }
}

async function start(init: HistoryWorkerInit): Promise<void> {
  const { servers, namespace, seed, maxStalenessMs, leaseWaitMs } = init
  const source = new SharedSource(init.sourceDir)
  ledger = new NodeLedger(init.ledgerPath, source)
  caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore(storeOptions(servers)),
    defaults: { ttl: '1h', jitter: 0, maxStaleness: maxStalenessMs, leaseWait: leaseWaitMs },
  })
  caches.on('coherence', ({ state }) => {
    trusts = state === 'verified'
  })
  caches.on('recovery-queue', ({ waiting }) => ledger.queue(waiting))
  random = randomFrom(seed).next
  traffic = new EvictionTraffic([nodeOf(new Items(), source)], ledger, {
    readersPerNode: READERS,
    writeEveryMs: WRITE_EVERY_MS,
    random,
    written: writtenNow,
  })
  await caches.cache('warm-up').get('x')
  await eventually('the node is verified', () => trusts, 30_000)
}

function storeOptions(servers: Servers): RedisStoreOptions {
  if (servers.kind === 'standalone') return { url: servers.url }
  if (servers.kind === 'sentinel') {
    const { sentinels, name, natMap } = servers
    return { options: { sentinels: [...sentinels], name, natMap } }
  }
  const { nodes, natMap } = servers
  handedIn = new Cluster([...nodes], { natMap, lazyConnect: true })
  return { client: handedIn }
}

/** Changes are made known in the ways there are: most by key, some by a tag that five keys share, some by a new value. */
function wayFor(chance: number): 'evict' | 'evict tag' | 'put' {
  if (chance < 0.6) return 'evict'
  return chance < 0.75 ? 'evict tag' : 'put'
}

function nodeOf(items: Items, source: SharedSource): TrafficNode {
  const change = async (key: string): Promise<void> => {
    const way = wayFor(random())
    ledger.change(key, way, way === 'evict tag' ? KEYS_PER_SHELF : 1)
    if (way === 'evict') await cached(items, 'find').evict(key)
    else if (way === 'evict tag') await caches.evictTags([shelfOf(key)])
    else await items.save(key, source)
  }
  return {
    read: (key) => items.find(key),
    evict(key) {
      const running = change(key)
      const done = running.catch(() => undefined).finally(() => changing.delete(done))
      changing.add(done)
      return running
    },
  }
}

function begin(): void {
  traffic.start()
}

/** Begins loads that take long, as do all that begin from now on; resolves when a few are under way, each with its lease. */
async function beginLongLoads(ms: number): Promise<void> {
  loadTime = () => ms
  const items = new Items()
  for (let n = 0; loading < LONG_LOADS; n++) {
    const key = TRAFFIC_KEYS[n % TRAFFIC_KEYS.length] ?? ''
    ledger.change(key, 'evict', 1)
    await cached(items, 'find').evict(key)
    items.find(key).catch(() => undefined)
    await delay(LOAD_MS)
  }
}

function usualLoadTime(): number {
  return random() < SLOW_SHARE ? SLOW_LOAD_MS : LOAD_MS
}

function endLongLoads(): void {
  loadTime = usualLoadTime
}

/** Reads so far. */
function reads(): number {
  return ledger.reads
}

/** Whether the store is believed again: nothing waits to be told to it. */
function trustsTheStore(): boolean {
  return trusts
}

/** Ends the traffic, once every change was acknowledged. */
async function end(): Promise<void> {
  await traffic.stop()
  await Promise.all(changing)
}

/** What this node has of each key. */
async function readAll(): Promise<ReadonlyMap<string, number>> {
  const items = new Items()
  return new Map(
    await Promise.all(TRAFFIC_KEYS.map(async (key) => [key, await items.find(key)] as const)),
  )
}

async function stop(): Promise<void> {
  await caches.close()
  handedIn?.disconnect()
  ledger.close()
}

export const worker = {
  start,
  begin,
  beginLongLoads,
  endLongLoads,
  reads,
  trustsTheStore,
  end,
  readAll,
  stop,
}
