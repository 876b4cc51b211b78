/** Managers whose topics go through each kind of store. */

import {
  type AllEvents,
  type CacheManager,
  type CacheManagerOptions,
  createCacheManager,
} from '@larder/core'
import { localTopics } from '@larder/local-store'
import type {
  SubscribeOptions,
  Subscription,
  Topic,
  TopicDelivery,
  TopicPattern,
} from '@larder/plugins/messaging'
import { redisTopics } from '@larder/redis-store'
import { inject, onTestFinished } from 'vitest'
import { freshNamespace } from '../../support/nodes.ts'

export type TopicPlace = 'in process' | 'on Redis'
export const PLACES: readonly TopicPlace[] = ['in process', 'on Redis']

/** Two managers of one namespace, each as if in a process of its own. */
export function openTwo(
  place: TopicPlace,
  options: Partial<CacheManagerOptions> & { readonly url?: string } = {},
): readonly [CacheManager, CacheManager] {
  const { url = inject('redisUrl'), ...rest } = options
  const namespace = freshNamespace()
  const open = (): CacheManager => {
    const topics = place === 'in process' ? localTopics() : redisTopics({ url })
    const caches = createCacheManager({ namespace, topics, default: false, logger: false, ...rest })
    onTestFinished(() => caches.close())
    return caches
  }
  return [open(), open()]
}

export interface Heard<Message> {
  readonly messages: Message[]
  readonly deliveries: TopicDelivery[]
  /** What `onMissed` was told. */
  readonly missed: (number | 'unknown')[]
  readonly subscription: Subscription
}

/** Listens, and waits until messages arrive. */
export async function hear<Message>(
  topic: Topic<never, Message> | TopicPattern<Message>,
  options: SubscribeOptions = {},
): Promise<Heard<Message>> {
  const messages: Message[] = []
  const deliveries: TopicDelivery[] = []
  const missed: (number | 'unknown')[] = []
  const subscription = topic.subscribe(
    (message, delivery) => {
      messages.push(message)
      deliveries.push(delivery)
    },
    { onMissed: (many) => missed.push(many), ...options },
  )
  await subscription.ready
  return { messages, deliveries, missed, subscription }
}

/** The `topic` events of a manager. */
export function topicEvents(caches: CacheManager): AllEvents['topic'][] {
  const events: AllEvents['topic'][] = []
  caches.on('topic', (event) => events.push(event))
  return events
}
