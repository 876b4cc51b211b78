/** Messages between processes over a cache manager's store. */

export type { MessageAttributes } from './envelope.ts'
export type { MessageSchema, SchemaIssue, SchemaResult } from './schema.ts'
export type {
  Subscription,
  SubscriptionStats,
  TopicDelivery,
  TopicHandler,
} from './subscription.ts'
export { createTopic, createTopicPattern, type Topic, type TopicPattern } from './topic.ts'
export type {
  Missed,
  SubscribeOptions,
  TopicOptions,
  TopicPatternOptions,
} from './topic-options.ts'
