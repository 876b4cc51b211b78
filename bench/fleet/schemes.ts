/**
 * What is compared: nodes of Larder, nodes that do what its peers do, DEL and PUBLISH, and as a floor nodes that send one PING as
 * often as others sync: a server cannot hear of a node for less.
 */

import { randomUUID } from 'node:crypto'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { Cluster, Redis } from 'ioredis'

/** Where the servers are: one URL, or several of a Cluster. */
export interface Servers {
  readonly urls: readonly string[]
  readonly isCluster: boolean
}

/** One process of a fleet, as the measurement sees it. */
export interface FleetNode {
  /** Resolves when it is connected and subscribed. */
  start(): Promise<unknown>
  evict(key: string): Promise<unknown>
  /** Returns what it holds of a key, loading it where it holds nothing. */
  read(key: string, load: () => number): Promise<number>
  close(): Promise<unknown>
}

export type SchemeName = 'Larder' | 'DEL + PUBLISH' | 'one PING'

export const NAMESPACE = 'fleet'
/** Where the plain scheme publishes. */
export const PLAIN_CHANNEL = 'fleet:plain'

export const SCHEMES: Readonly<Record<SchemeName, (servers: Servers) => FleetNode>> = {
  Larder: larderNode,
  'DEL + PUBLISH': plainNode,
  'one PING': pingingNode,
}

function larderNode({ urls, isCluster }: Servers): FleetNode {
  const [url = ''] = urls
  const remote = redisStore(isCluster ? { cluster: urls.map(addressOf) } : { url })
  const manager: CacheManager = createCacheManager({
    namespace: NAMESPACE,
    local: lruStore({ maxEntries: 1_000 }),
    remote,
    storeTimeout: '10s',
    default: false,
    logger: false,
    defaults: { ttl: '1h' },
  })
  const cache = manager.cache<number>('c')
  return {
    start: () => cache.getOrLoad(`start:${randomUUID()}`, async () => 0),
    evict: (key) => cache.evict(key),
    read: (key, load) => cache.getOrLoad(key, async () => load()),
    close: () => manager.close(),
  }
}

/** A message names the key; a node that hears it forgets the key. Nothing is numbered, and nobody asks again. */
function plainNode(servers: Servers): FleetNode {
  const client = plainClient(servers)
  const subscriber = plainClient(servers)
  const held = new Map<string, number>()
  return {
    start: async () => {
      subscriber.on('message', (_channel, key: string) => held.delete(key))
      await Promise.all([client.ping(), subscriber.subscribe(PLAIN_CHANNEL)])
    },
    evict: (key) => {
      held.delete(key)
      return Promise.all([client.del(`plain:${key}`), client.publish(PLAIN_CHANNEL, key)])
    },
    read: async (key, load) => {
      const value = held.get(key) ?? load()
      held.set(key, value)
      return value
    },
    close: async () => {
      client.disconnect()
      subscriber.disconnect()
    },
  }
}

/** As often as a node with the default `maxStaleness` syncs. */
const PINGED_EVERY_MS = { least: 600, more: 200 }

function pingingNode(servers: Servers): FleetNode {
  const client = plainClient(servers)
  let timer: NodeJS.Timeout | undefined
  const ping = (): void => {
    void client.ping().catch(() => undefined)
    timer = setTimeout(ping, PINGED_EVERY_MS.least + Math.random() * PINGED_EVERY_MS.more)
  }
  return {
    start: async () => {
      await client.ping()
      timer = setTimeout(ping, Math.random() * PINGED_EVERY_MS.least)
    },
    evict: async () => undefined,
    read: async (_key, load) => load(),
    close: async () => {
      clearTimeout(timer)
      client.disconnect()
    },
  }
}

function plainClient({ urls, isCluster }: Servers): Redis | Cluster {
  return isCluster ? new Cluster(urls.map(addressOf)) : new Redis(urls[0] ?? '')
}

function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}
