/** Managers whose boards are in each kind of store, on a time that the test moves. */

import { type CacheManager, type CacheManagerOptions, createCacheManager } from '@larder/core'
import type { BoardProvider } from '@larder/core/store'
import { localBoards } from '@larder/local-store'
import { inject, onTestFinished } from 'vitest'
import { Backend } from '../../../packages/redis-store/src/backend.ts'
import { RedisBoards } from '../../../packages/redis-store/src/boards/redis-boards.ts'
import { resolveRedisStoreOptions } from '../../../packages/redis-store/src/options.ts'
import { freshNamespace } from '../../support/nodes.ts'

export interface BoardStage {
  readonly caches: CacheManager
  /** What the store's clock says, ms since the epoch. */
  readonly time: { now: number }
}

export type BoardPlace = 'in process' | 'on Redis'
export const PLACES: readonly BoardPlace[] = ['in process', 'on Redis']
/** Noon of a Monday. */
export const NOON = Date.UTC(2026, 10, 30, 12)

export function openBoards(
  place: BoardPlace,
  options: Partial<CacheManagerOptions> = {},
): BoardStage {
  const time = { now: NOON }
  const boards = place === 'in process' ? localBoards({ now: () => time.now }) : onRedis(time)
  const caches = createCacheManager({
    namespace: freshNamespace(),
    boards,
    default: false,
    logger: false,
    ...options,
  })
  onTestFinished(() => caches.close())
  return { caches, time }
}

function onRedis(time: { readonly now: number }): BoardProvider {
  const options = resolveRedisStoreOptions({ url: inject('redisUrl') })
  const backend = new Backend(options)
  return new RedisBoards({ backend, options, ownsBackend: true, nowUs: () => time.now * 1_000 })
}
