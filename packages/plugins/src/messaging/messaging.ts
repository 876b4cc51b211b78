/** Messages between processes over a cache manager's store. */

export type { ConsumerStats } from './consumer-reports.ts'
export type { DeadLetter, DeadLettersOptions } from './dead-letters.ts'
export type { Delivery, MessageHandler } from './delivery.ts'
export type { MessageAttributes } from './envelope.ts'
export type { Fold, Folded, SnapshotOptions } from './event-fold.ts'
export { type Appended, createEventStore, type EventStore } from './event-store.ts'
export type {
  AppendOptions,
  EventOrigin,
  EventStoreOptions,
  ProjectOptions,
  ReadAllOptions,
  ReadEventsOptions,
} from './event-store-options.ts'
export type { StoredEvent } from './event-values.ts'
export type { HandleOptions } from './handle-options.ts'
export type { PartitionStatus, Projection } from './projection.ts'
export type { EventHandler, EventTurn } from './projection-parts.ts'
export { RejectMessage } from './reject-message.ts'
export type { MessageSchema, SchemaIssue, SchemaResult } from './schema.ts'
export { type AddedMessage, createStream, Stream } from './stream.ts'
export { StreamConsumer } from './stream-consumer.ts'
export {
  type RunningHandlers,
  StreamHandler,
  type StreamHandlerOptions,
  type StreamMethodDecorator,
  startHandlers,
} from './stream-handler.ts'
export type { AddManyOptions, AddOptions, StreamOptions } from './stream-options.ts'
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
