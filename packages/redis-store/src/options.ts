/** How a Redis store is reached: a URL, ioredis options, the nodes of a Cluster, or a client that is there already. */

import { type Duration, InvalidOptionError } from '@larder/core'
import { assertKnownOptions, optionNames, orDefault, parseDuration } from '@larder/core/store'
import type { ConnectionOptions, IoredisClient } from './connection/ioredis-types.ts'
import { prefixOf, refusePrefix, warnOfPrefix } from './connection/key-prefix.ts'
import { isCluster, type RedisClient } from './connection/redis-client.ts'

/** Takes one of `url`, `cluster`, `client`, or `options` alone. */
export interface RedisStoreOptions {
  /** Where Redis is: `redis://…` or `rediss://…`. */
  readonly url?: string | undefined
  /**
   * ioredis options: TLS, credentials, `sentinels` with `name`, `path`. With `cluster`, those of its nodes. Deadlines,
   * retries and queues are set by the store. A `keyPrefix` is refused: the manager's `namespace` is in front of each key.
   */
  readonly options?: ConnectionOptions | undefined
  /** Nodes of a Cluster to begin with, as URLs or as host and port. */
  readonly cluster?:
    | readonly (string | { readonly host: string; readonly port: number })[]
    | undefined
  /**
   * An ioredis client: standalone, Sentinel-backed or Cluster. It is not used itself, only duplicated: its settings stay
   * its owner's, and the duplicates get those of the store. Its `keyPrefix` does not count here, which a warning says.
   */
  readonly client?: IoredisClient | undefined
  /** How often connections are pinged while nothing else is heard of the server, to notice those that died silently. 100 ms to 1 h. @default '5s' */
  readonly pingEvery?: Duration | undefined
}

export type Target =
  | { readonly kind: 'url'; readonly url: string; readonly options: object }
  | { readonly kind: 'options'; readonly options: object }
  | { readonly kind: 'cluster'; readonly nodes: readonly unknown[]; readonly options: object }
  | { readonly kind: 'client'; readonly client: RedisClient }

export interface ResolvedRedisStoreOptions {
  readonly target: Target
  readonly pingEveryMs: number
}

/** Behind `INTERNALS` of what is made of such options: for tools, which connect to the same server by themselves. */
export interface RedisInternals {
  readonly options: ResolvedRedisStoreOptions
}

const WHERE = 'redisStore'
const NAMES = optionNames<RedisStoreOptions>({
  url: true,
  options: true,
  cluster: true,
  client: true,
  pingEvery: true,
})
/** The defaults. */
export const REDIS_STORE_DEFAULTS = { pingEvery: '5s' } as const satisfies RedisStoreOptions
const SHORTEST_PING_MS = 100
const LONGEST_PING_MS = 3_600_000

/** @throws InvalidOptionError; never repeats a URL, which may hold a password. */
export function resolveRedisStoreOptions(options: RedisStoreOptions): ResolvedRedisStoreOptions {
  assertNotIoredisOptions(options)
  assertKnownOptions(options, NAMES, WHERE)
  return {
    target: resolveTarget(options),
    pingEveryMs: parseDuration(
      orDefault(options.pingEvery, REDIS_STORE_DEFAULTS.pingEvery),
      `${WHERE}.pingEvery`,
      {
        min: SHORTEST_PING_MS,
        max: LONGEST_PING_MS,
      },
    ),
  }
}

/** Tells whether a Cluster is meant. */
export function isClusterTarget(target: Target): boolean {
  return target.kind === 'cluster' || (target.kind === 'client' && isCluster(target.client))
}

function resolveTarget(all: RedisStoreOptions): Target {
  const { url, client, cluster, options } = all
  const ways = { url, client, cluster }
  const given = Object.entries(ways).flatMap(([name, way]) => (way === undefined ? [] : [name]))
  if (given.length > 1 || (client !== undefined && options !== undefined)) {
    throw new InvalidOptionError({
      option: WHERE,
      expected: 'one of url, client and cluster, and options only without client',
      received: [...given, ...(options === undefined ? [] : ['options'])].join(' and '),
    })
  }
  if (client !== undefined) return { kind: 'client', client: checkClient(client) }
  const settings = checkSettings(options)
  if (cluster !== undefined) {
    return { kind: 'cluster', nodes: checkNodes(cluster), options: settings }
  }
  if (url !== undefined) return { kind: 'url', url: checkUrl(url), options: settings }
  if (options !== undefined) return { kind: 'options', options: settings }
  // A URL from an environment variable that is not set must not end up at a Redis on this machine.
  const named = (['url', 'client', 'cluster', 'options'] as const).find((name) => name in all)
  throw new InvalidOptionError({
    option: named === undefined ? WHERE : `${WHERE}.${named}`,
    expected:
      named === undefined
        ? 'one of url, client, cluster and options'
        : `${WAYS[named]}; it was given, and is not set (an environment variable?). For no shared tier leave out "remote" of createCacheManager, or give it undefined`,
    received: undefined,
  })
}

const WAYS = {
  url: 'a redis:// or rediss:// URL',
  client: 'an ioredis client',
  cluster: 'a list of nodes',
  options: 'an object of ioredis options',
}

/** What ioredis takes at its top, people write here as well. */
const IOREDIS_OPTIONS = [
  'host',
  'port',
  'path',
  'db',
  'password',
  'username',
  'tls',
  'sentinels',
  'name',
  'family',
]

/** @throws InvalidOptionError that says where such options go */
function assertNotIoredisOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) return
  if (typeof (options as Partial<RedisClient>).duplicate === 'function') {
    throw new InvalidOptionError({
      option: WHERE,
      expected: 'an options object with the client in it: redisStore({ client })',
      received: options,
      described: 'an ioredis client',
    })
  }
  const found = IOREDIS_OPTIONS.filter((name) => name in options)
  if (found.length === 0) return
  throw new InvalidOptionError({
    option: `${WHERE}.${found[0]}`,
    expected: `its place inside options: redisStore({ options: { ${found.join(', ')} } })`,
    received: options,
    described: 'it beside url, options, cluster and client',
  })
}

function checkClient(client: object): RedisClient {
  const { duplicate, status } = (client ?? {}) as Partial<RedisClient>
  if (typeof duplicate === 'function' && typeof status === 'string') {
    warnOfPrefix(client as RedisClient)
    return client as RedisClient
  }
  throw new InvalidOptionError({
    option: `${WHERE}.client`,
    expected: 'an ioredis client',
    received: client,
  })
}

function checkNodes(nodes: readonly unknown[]): readonly unknown[] {
  if (Array.isArray(nodes) && nodes.length > 0 && nodes.every(isNode)) return nodes
  throw new InvalidOptionError({
    option: `${WHERE}.cluster`,
    expected: 'a list of at least one node, each a URL or an object with host and port',
    received: nodes,
  })
}

function isNode(node: unknown): boolean {
  // As ioredis reads them: a URL, host and port, or a port.
  if (typeof node === 'string') return /^(rediss?:\/\/.+|[^/@]+)$/.test(node)
  if (typeof node !== 'object' || node === null) return false
  const { host, port } = node as { host?: unknown; port?: unknown }
  return typeof host === 'string' && Number.isInteger(port)
}

function checkUrl(url: string): string {
  const isUrl = typeof url === 'string' && /^rediss?:\/\//.test(url) && URL.canParse(url)
  // ioredis takes database 0 where it finds something else than a number.
  if (isUrl && isDatabase(new URL(url))) {
    refusePrefix(new URL(url).searchParams.get('keyPrefix'), `${WHERE}.url`)
    return url
  }
  throw new InvalidOptionError({
    option: `${WHERE}.url`,
    expected: isUrl
      ? 'a URL whose path is the number of a database: redis://host:port/2'
      : 'a redis:// or rediss:// URL',
    received: url,
    isSecret: true,
  })
}

function isDatabase({ pathname, searchParams }: URL): boolean {
  return /^\/?\d*$/.test(pathname) && /^\d*$/.test(searchParams.get('db') ?? '')
}

function checkSettings(options: object = {}): object {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) {
    checkDatabase('db' in options ? options.db : undefined)
    refusePrefix(prefixOf(options), `${WHERE}.options.keyPrefix`)
    return options
  }
  throw new InvalidOptionError({
    option: `${WHERE}.options`,
    expected: 'an object of ioredis options',
    received: options,
  })
}

function checkDatabase(db: unknown): void {
  if (db === undefined || /^\d+$/.test(String(db))) return
  throw new InvalidOptionError({
    option: `${WHERE}.options.db`,
    expected: 'the number of a database',
    received: db,
  })
}
