/** Messages between processes over a cache manager's store. */

export type { ConsumerStats } from './consumer-reports.ts'
export type { DeadLetter, DeadLettersOptions } from './dead-letters.ts'
export type { Delivery, MessageHandler } from './delivery.ts'
export type { MessageAttributes } from './envelope.ts'
export type { HandleOptions } from './handle-options.ts'
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
