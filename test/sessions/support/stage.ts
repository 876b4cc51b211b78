/** Sessions over each kind of store, as tests need them. */

import {
  type CacheEvents,
  type CacheManager,
  type CacheManagerOptions,
  createCacheManager,
} from '@larder/core'
import { localSessions, lruStore } from '@larder/local-store'
import { createSessions, type SessionOptions, type Sessions } from '@larder/plugins/sessions'
import { redisStore } from '@larder/redis-store'
import { inject, onTestFinished } from 'vitest'
import { freshNamespace } from '../../support/nodes.ts'

/** What applications keep in these tests. */
export interface Visit {
  userId?: string | undefined
  visits?: number | undefined
  [name: string]: unknown
}

export interface Stage {
  readonly caches: CacheManager
  readonly sessions: Sessions<Visit>
  readonly refused: CacheEvents['session-refused'][]
  readonly failures: unknown[]
}

export type Place = 'in process' | 'on Redis'
export const PLACES: readonly Place[] = ['in process', 'on Redis']

/** Opens sessions of their own; they are closed with the test. */
export function openSessions(
  place: Place,
  {
    options = {},
    ...manager
  }: Partial<CacheManagerOptions> & { readonly options?: SessionOptions<Visit> } = {},
): Stage {
  const caches = createCacheManager({
    namespace: freshNamespace(),
    local: lruStore(),
    ...(place === 'on Redis' ? { remote: redisStore({ url: inject('redisUrl') }) } : {}),
    default: false,
    logger: false,
    ...manager,
  })
  onTestFinished(() => caches.close())
  const refused: CacheEvents['session-refused'][] = []
  const failures: unknown[] = []
  caches.on('session-refused', (event) => refused.push(event))
  caches.on('background-error', ({ error }) => failures.push(error))
  const sessions = createSessions<Visit>(caches, {
    userOf: ({ userId }) => userId,
    storeTimeout: '10s',
    ...options,
  })
  return { caches, sessions, refused, failures }
}

/** Sessions in process whose time a test moves. */
export function openAt(
  startMs: number,
  options: SessionOptions<Visit> = {},
): Stage & { readonly clock: { now: number } } {
  const clock = { now: startMs }
  const provider = localSessions({ now: () => clock.now })
  return { ...openSessions('in process', { sessions: provider, options }), clock }
}
