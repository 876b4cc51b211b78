/** How a Redis store is reached: a URL, ioredis options, cluster nodes, or a client that is there already. */

import { assertKnownOptions, type Duration, InvalidOptionError, parseDuration } from '@larder/core'
import type { RedisClient } from './redis-client.ts'

export interface RedisStoreOptions {
  /** Where Redis is: `redis://…` or `rediss://…`. */
  readonly url?: string | undefined
  /** Further ioredis options (TLS, credentials, `sentinels` and `name`). Ours win where they matter. */
  readonly options?: object | undefined
  /** Start-up nodes of a Cluster. */
  readonly cluster?:
    | readonly (string | { readonly host: string; readonly port: number })[]
    | undefined
  /**
   * An ioredis client (standalone, Sentinel-backed or Cluster). It is not used itself, only duplicated: its settings stay
   * its owner's, and the duplicates get ours.
   */
  readonly client?: object | undefined
  /** How often the subscriber is pinged, to notice a connection that died without a word. 100 ms to 1 h. @default '5s' */
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

const NAMES = ['url', 'options', 'cluster', 'client', 'pingEvery'] as const
const MS_PER_HOUR = 3_600_000

/** @throws InvalidOptionError; never repeats a URL, which may hold a password. */
export function resolveRedisStoreOptions(options: RedisStoreOptions): ResolvedRedisStoreOptions {
  assertKnownOptions(options, NAMES, 'redisStore')
  return {
    target: resolveTarget(options),
    pingEveryMs: parseDuration(options.pingEvery ?? '5s', 'redisStore.pingEvery', {
      min: 100,
      max: MS_PER_HOUR,
    }),
  }
}

function resolveTarget({ url, client, cluster, options = {} }: RedisStoreOptions): Target {
  const given = [url, client, cluster].filter((way) => way !== undefined).length
  if (given > 1) {
    throw new InvalidOptionError({
      option: 'redisStore',
      expected: 'only one of url, client and cluster',
      received: undefined,
    })
  }
  if (client !== undefined) {
    if (isClient(client)) return { kind: 'client', client }
    throw new InvalidOptionError({
      option: 'redisStore.client',
      expected: 'an ioredis client',
      received: client,
    })
  }
  if (cluster !== undefined) {
    if (Array.isArray(cluster) && cluster.length > 0)
      return { kind: 'cluster', nodes: cluster, options }
    throw new InvalidOptionError({
      option: 'redisStore.cluster',
      expected: 'a list of at least one node',
      received: cluster,
    })
  }
  if (url !== undefined) {
    if (typeof url === 'string' && /^rediss?:\/\//.test(url)) return { kind: 'url', url, options }
    throw new InvalidOptionError({
      option: 'redisStore.url',
      expected: 'a redis:// or rediss:// URL',
      received: typeof url === 'string' ? 'another kind of text' : url,
    })
  }
  return { kind: 'options', options }
}

function isClient(client: object): client is RedisClient {
  const { duplicate, status } = client as Partial<RedisClient>
  return typeof duplicate === 'function' && typeof status === 'string'
}
