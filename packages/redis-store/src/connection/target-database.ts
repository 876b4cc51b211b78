/** The database of a target, known before anything connects. */

import type { Target } from '../options.ts'
import { isCluster, type RedisClient } from './redis-client.ts'

/** The number of the database of a target; of a client, the one it has selected now. */
export function targetDatabase(target: Target): number {
  switch (target.kind) {
    case 'client':
      return databaseOf(target.client)
    case 'url':
      return databaseInUrl(target.url) ?? databaseIn(target.options)
    default:
      return databaseIn(target.options)
  }
}

/** As ioredis reads it: the path before the query. */
function databaseInUrl(url: string): number | undefined {
  const { pathname, searchParams } = new URL(url)
  const text = pathname.slice(1) || searchParams.get('db')
  return text === null || text === '' ? undefined : Number(text)
}

function databaseOf(client: RedisClient): number {
  if (isCluster(client)) return databaseIn(client.options?.redisOptions)
  return client.condition?.select ?? client.options?.db ?? 0
}

function databaseIn(options: object = {}): number {
  return 'db' in options ? Number(options.db ?? 0) : 0
}
