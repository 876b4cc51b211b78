/** Managers whose queues are in each kind of store, and a database that notices what must not be. */

import { type CacheManager, type CacheManagerOptions, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import {
  createWriteBehind,
  type FlushContext,
  type WriteBehindOptions,
  type WriteQueue,
  type WrittenWrite,
} from '@larder/plugins/write-behind'
import { redisStore } from '@larder/redis-store'
import { inject, onTestFinished } from 'vitest'
import { freshNamespace } from '../../support/nodes.ts'

export type Place = 'in process' | 'on Redis'
export const PLACES: readonly Place[] = ['in process', 'on Redis']

interface Row {
  readonly value: unknown
  readonly version: number
}

/** Remembers what it was given. `failing` decides about each call before anything is written. */
export class Database {
  readonly rows = new Map<string, Row>()
  readonly batches: (readonly string[])[] = []
  readonly contexts: FlushContext[] = []
  /** Writes that were older than what the row had. */
  readonly stepsBack: string[] = []
  failing: (writes: readonly WrittenWrite<unknown>[]) => unknown = () => undefined

  readonly write = async (
    writes: readonly WrittenWrite<unknown>[],
    context: FlushContext,
  ): Promise<void> => {
    this.batches.push(writes.map(({ key }) => key))
    this.contexts.push(context)
    await this.failing(writes)
    for (const { key, version, value, kind } of writes) {
      const row = this.rows.get(key)
      if (row !== undefined && row.version > version) this.stepsBack.push(key)
      const next = kind === 'merge' ? Number(row?.value ?? 0) + Number(value) : value
      this.rows.set(key, { value: next, version })
    }
  }

  get(key: string): unknown {
    return this.rows.get(key)?.value
  }
}

export function openManager(
  place: Place,
  options: Partial<CacheManagerOptions> = {},
): CacheManager {
  const caches = createCacheManager({
    namespace: freshNamespace(),
    local: lruStore(),
    ...(place === 'on Redis' && { remote: redisStore({ url: inject('redisUrl') }) }),
    default: false,
    logger: false,
    ...options,
  })
  onTestFinished(() => caches.close())
  return caches
}

export interface Stage {
  readonly caches: CacheManager
  readonly database: Database
  readonly queue: WriteQueue<unknown>
}

/** Failures are tried again at once, so that a test does not wait. */
const QUICK = { every: '1h', backoff: '1ms', maxBackoff: '1ms', drain: 0 } as const

export function openQueue(
  place: Place,
  options: Partial<WriteBehindOptions<unknown>> = {},
  managerOptions: Partial<CacheManagerOptions> = {},
): Stage {
  const caches = openManager(place, managerOptions)
  const database = new Database()
  const queue = createWriteBehind<unknown>(caches, {
    name: 'progress',
    write: database.write,
    ...QUICK,
    ...options,
  })
  return { caches, database, queue }
}
