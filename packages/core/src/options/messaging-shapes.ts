/** What the contracts of topics and of event stores have, as `contract-shapes.ts` has it for the others. */

import type {
  EventStoreCapabilities,
  EventStoreProvider,
} from '../contracts/event-store-provider.ts'
import type { TopicCapabilities, TopicProvider } from '../contracts/topic-provider.ts'
import type { Shape } from './assert-shape.ts'

const EVENT_STORE_CAPABILITIES: Shape<EventStoreCapabilities> = { shared: 'boolean' }

const EVENT_STORE: Shape<EventStoreProvider> = {
  name: 'string',
  capabilities: 'object',
  open: 'function',
  whenTried: 'function?',
  onTrouble: 'function?',
  partitions: 'function',
  append: 'function',
  read: 'function',
  readLog: 'function',
  take: 'function',
  save: 'function',
  close: 'function',
}

const TOPIC_CAPABILITIES: Shape<TopicCapabilities> = { shared: 'boolean' }

const TOPICS: Shape<TopicProvider> = {
  name: 'string',
  capabilities: 'object',
  open: 'function',
  whenTried: 'function?',
  onTrouble: 'function?',
  publish: 'function',
  listen: 'function',
  close: 'function',
}

export const MESSAGING_SHAPES = {
  eventStore: EVENT_STORE,
  eventStoreCapabilities: EVENT_STORE_CAPABILITIES,
  topics: TOPICS,
  topicCapabilities: TOPIC_CAPABILITIES,
} as const
