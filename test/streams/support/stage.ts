/** Managers whose streams are in each kind of store, and what their consumers did. */

import {
  type AllEvents,
  type CacheManager,
  type CacheManagerOptions,
  createCacheManager,
} from '@larder/core'
import { localStreams } from '@larder/local-store'
import { createStream, type Stream, type StreamOptions } from '@larder/plugins/messaging'
import { redisStore } from '@larder/redis-store'
import { inject, onTestFinished } from 'vitest'
import { freshNamespace } from '../../support/nodes.ts'

export type StreamPlace = 'in process' | 'on Redis'
export const PLACES: readonly StreamPlace[] = ['in process', 'on Redis']

export interface StreamStage {
  readonly caches: CacheManager
  readonly namespace: string
  /** Outcomes of deliveries, in the order in which they ended. */
  readonly outcomes: string[]
  readonly events: AllEvents['stream'][]
  /** Another manager of the same namespace. */
  other(): StreamStage
  stream<Input = unknown, Output = Input>(
    options?: Partial<StreamOptions<Input, Output>>,
  ): Stream<Input, Output>
}

export interface StageOptions extends Partial<CacheManagerOptions> {
  readonly url?: string
}

export function openStage(place: StreamPlace, options: StageOptions = {}): StreamStage {
  const { namespace = freshNamespace(), url = inject('redisUrl'), ...rest } = options
  const kept =
    place === 'in process' ? { streams: localStreams() } : { remote: redisStore({ url }) }
  const caches = createCacheManager({
    namespace,
    ...kept,
    default: false,
    logger: false,
    ...rest,
  })
  onTestFinished(() => caches.close())
  const outcomes: string[] = []
  const events: AllEvents['stream'][] = []
  caches.on('stream', (event) => {
    outcomes.push(event.outcome)
    events.push(event)
  })
  return {
    caches,
    namespace,
    outcomes,
    events,
    other: () => openStage(place, { ...options, namespace }),
    stream: (own = {}) => createStream(caches, { name: 'emails', ...own }),
  }
}
