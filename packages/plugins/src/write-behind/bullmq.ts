/** Hands the batches of a write-behind queue to BullMQ, and writes what was handed over. */

export {
  type BullmqProcessorOptions,
  bullmqProcessor,
  type HandedJob,
  type HandedOutcome,
} from './bullmq/bullmq-processor.ts'
export { type BullmqWriterOptions, bullmqWriter, type JobQueue } from './bullmq/bullmq-writer.ts'
export type { HandedBatch } from './bullmq/handed-batch.ts'
export type { VersionsClient } from './bullmq/written-versions.ts'
