/** Write-behind: writes are queued in a manager's store, and written to the database later, together. */

export { createWriteBehind } from './create-write-behind.ts'
export { currentFlush } from './current-flush.ts'
export { openWriteBehind, WriteBehind, type WriteBehindMethodOptions } from './decorator.ts'
export type {
  Merge,
  QueueOptions,
  Versioned,
  WriteBehindOptions,
  Writer,
} from './queue-options.ts'
export { type FlushOptions, type PendingWrites, WriteQueue } from './write-queue.ts'
export type { DeadLetter, FlushContext, WriteFacts, WrittenWrite } from './written-write.ts'
