/**
 * Makes ioredis clients with our settings, whatever the settings of the client or options handed in.
 *
 * ioredis by default queues commands while it is disconnected, retries each twenty times and resends what was unanswered:
 * a call could hang for half a minute, or run twice. Ours queue, retry and resend nothing, and a client that lost its
 * connection is given up: `Link` makes the next one.
 */

import { StoreSetupError } from '@larder/core'
import type { Target } from '../options.ts'
import { isCluster, type RedisClient } from './redis-client.ts'

/** How long a TCP (and TLS) connection may take to stand. */
const CONNECT_TIMEOUT_MS = 2_000
/** How long a connection may take to close properly before its socket is destroyed. */
const DISCONNECT_TIMEOUT_MS = 200
const KEEP_ALIVE_MS = 5_000
const CLUSTER_RETRY_MS = 50

const stopRetrying = (): null => null

/**
 * After a failover the old master answers READONLY: close the connection, to be led to the new one. Once per client: many calls may be
 * under way, each of them answered so, and for each ioredis would close the connection anew, with a listener of its own.
 */
function firstReadonly(): (error: Error) => boolean {
  let wasSeen = false
  return ({ message }) => {
    if (wasSeen || !message.startsWith('READONLY')) return false
    wasSeen = true
    return true
  }
}

/** What every connection needs, those inside a Cluster client too. `undefined` takes an inherited setting away. */
const NODE_SETTINGS = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  keepAlive: KEEP_ALIVE_MS,
  noDelay: true,
  // It takes a right to INFO, and prints without it. The first commands find out the same.
  enableReadyCheck: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  enableAutoPipelining: false,
  // The engine has its own deadlines.
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  // The hash tag must come first in a key, and scripts and SCAN know nothing of a prefix: the namespace is the prefix.
  keyPrefix: '',
  // Replies must come in the shapes that are read here.
  stringNumbers: false,
  replyMapping: 'legacy',
  scripts: undefined,
  monitor: undefined,
}

/** For a client of its own: standalone, Sentinel-backed, or a subscriber to one node of a Cluster. */
const CLIENT_SETTINGS = {
  ...NODE_SETTINGS,
  lazyConnect: true,
  enableOfflineQueue: false,
  retryStrategy: null,
  // A replica may lag behind an eviction.
  readOnly: false,
  role: 'master',
  sentinelRetryStrategy: stopRetrying,
  failoverDetector: false,
}

function clientSettings(): object {
  return { ...CLIENT_SETTINGS, reconnectOnError: firstReadonly() }
}

const CLUSTER_SETTINGS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableReadyCheck: true,
  enableAutoPipelining: false,
  scaleReads: 'master',
  clusterRetryStrategy: stopRetrying,
  clusterNodeRetryStrategy: null,
  slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
  retryDelayOnMoved: 0,
  retryDelayOnFailover: CLUSTER_RETRY_MS,
  retryDelayOnClusterDown: CLUSTER_RETRY_MS,
  retryDelayOnTryAgain: CLUSTER_RETRY_MS,
  maxRedirections: 8,
  shardedSubscribers: false,
  keyPrefix: '',
  scripts: undefined,
}

/**
 * Makes a client of our own that has not connected yet.
 *
 * @param db the database of a duplicate: the owner of its client may select another one at any time, and a store that moved
 *   along would lose what it is about.
 * @param own settings of ioredis, for a client that is not a Cluster's, before those of a store
 */
export async function createClient(
  target: Target,
  db: number,
  own: object = {},
): Promise<RedisClient> {
  if (target.kind === 'client') {
    return duplicateClient(target.client, isCluster(target.client) ? {} : { db, ...own })
  }
  const { Cluster, Redis } = await importIoredis()
  // ioredis' own types are wider than the part we use; a test holds the structural type against them.
  if (target.kind === 'cluster') {
    const settings = {
      ...CLUSTER_SETTINGS,
      redisOptions: { ...target.options, ...NODE_SETTINGS },
    }
    return new Cluster(target.nodes as never, settings as never) as unknown as RedisClient
  }
  const settings = {
    ...tlsBehindSentinel(target.options),
    ...target.options,
    ...clientSettings(),
    ...shuffledSentinels(target.options),
    ...own,
  }
  const client =
    target.kind === 'url'
      ? new Redis(withoutSettings(target.url), settings as never)
      : new Redis(settings as never)
  return client as unknown as RedisClient
}

/** Makes a client for the same servers as another, which stays as it is. */
export function duplicateClient(client: RedisClient, settings: object = {}): RedisClient {
  if (isCluster(client)) {
    const redisOptions = { ...client.options?.redisOptions, ...NODE_SETTINGS }
    return client.duplicate([], { ...CLUSTER_SETTINGS, redisOptions }) as RedisClient
  }
  return client.duplicate({
    ...clientSettings(),
    ...shuffledSentinels(client.options ?? {}),
    ...settings,
  }) as RedisClient
}

/** Behind sentinels, ioredis would speak in plain text to the servers, whatever `tls` says, unless this is set as well. */
function tlsBehindSentinel(options: {
  readonly sentinels?: unknown
  readonly tls?: unknown
}): object {
  return options.sentinels !== undefined && options.tls !== undefined
    ? { enableTLSForSentinelMode: true }
    : {}
}

/** A sentinel that was cut off may name the old master for ever, so each client begins with another sentinel. */
function shuffledSentinels(options: { readonly sentinels?: unknown }): object {
  if (!Array.isArray(options.sentinels)) return {}
  const sentinels: unknown[] = [...options.sentinels]
  for (let left = sentinels.length; left > 1; left--) {
    const other = Math.floor(Math.random() * left)
    const last = sentinels[left - 1]
    sentinels[left - 1] = sentinels[other]
    sentinels[other] = last
  }
  return { sentinels }
}

/** ioredis takes options from a URL's query and prefers them to ours. */
function withoutSettings(url: string): string {
  if (!url.includes('?')) return url
  const parsed = new URL(url)
  for (const name of Object.keys(CLIENT_SETTINGS)) parsed.searchParams.delete(name)
  return parsed.href
}

async function importIoredis(): Promise<Pick<typeof import('ioredis'), 'Cluster' | 'Redis'>> {
  try {
    return await import('ioredis')
  } catch (cause) {
    throw new StoreSetupError(whyNotLoaded(cause), cause)
  }
}

/** A package that is installed may still fail to load, and then the message must not say that it is missing. */
function whyNotLoaded(cause: unknown): string {
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown }
  const words = String(message ?? cause)
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    return `@larder/redis-store needs the package ioredis, 5.4 or newer, and it is not installed: ${words}`
  }
  const remedy = /Dynamic require|require is not defined/.test(words)
    ? 'It was bundled into an ES module, where it cannot require: let the bundler leave ioredis out (external), or give the bundle a require (a banner with createRequire).'
    : 'It needs ioredis, 5.4 or newer.'
  return `@larder/redis-store could not load the package ioredis: ${words}. ${remedy}`
}
