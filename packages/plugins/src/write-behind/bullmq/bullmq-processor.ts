/** The processor of a worker of BullMQ that writes what was handed over. */

import type { CacheManager, Duration } from '@larder/core'
import {
  assertFunction,
  assertKnownOptions,
  assertName,
  optionNames,
  orDefault,
  parseDuration,
} from '@larder/core/store'
import { UnrecoverableError } from 'bullmq'
import { type BatchOutcome, writeBatch } from '../batch.ts'
import { writePartsOf } from '../create-write-behind.ts'
import { runInFlush } from '../current-flush.ts'
import type { Writer } from '../queue-options.ts'
import { QueueValues } from '../queue-values.ts'
import type { FlushContext, WrittenWrite } from '../written-write.ts'
import { type HandedBatch, type HandedWrite, openWrite, unfitData } from './handed-batch.ts'
import { KeyTurns } from './key-turns.ts'
import { type VersionsClient, WrittenVersions } from './written-versions.ts'

/** Options of `bullmqProcessor`. */
export interface BullmqProcessorOptions<Value> {
  /** Name of the write-behind queue. */
  readonly name: string
  /**
   * Writes to the database, as that of `createWriteBehind`. Its `fence` is that of the process that handed the batch over: compare it for each
   * row and not for the table, because a batch that is tried again comes after batches of higher fences.
   */
  readonly write: Writer<Value>
  /** A client of ioredis, for what was written last of each key. It is not closed. All workers of the queue use the same Redis. */
  readonly client: VersionsClient
  /** How long that is remembered: longer than a job waits and is tried. 1 min to 30 d. @default '1d' */
  readonly remember?: Duration | undefined
}

/** What is used of a `Job` of BullMQ. */
export interface HandedJob {
  readonly data: unknown
}

/** What a job returns. */
export interface HandedOutcome {
  readonly written: number
  /** The same version or a newer one was written before. */
  readonly skipped: number
}

const NAMES = optionNames<BullmqProcessorOptions<unknown>>({
  name: true,
  write: true,
  client: true,
  remember: true,
})
const WHERE = 'bullmqProcessor'
const MINUTE_MS = 60_000
const MONTH_MS = 30 * 24 * 60 * MINUTE_MS

/**
 * Returns the processor of a `Worker`. A write of which the same or a newer version was written is skipped. A batch that fails is halved, and what
 * was written of it is not written again when the job is tried again. A job of which all that is left was refused with a `RejectedWriteError`, or
 * cannot be read, fails for good.
 *
 * @throws InvalidOptionError when an option is unknown or wrong
 * @example
 * new Worker('progress', bullmqProcessor(caches, { name: 'progress', write: saveAll, client }), { connection })
 */
export function bullmqProcessor<Value>(
  caches: CacheManager,
  options: BullmqProcessorOptions<Value>,
): (job: HandedJob, token?: string, signal?: AbortSignal) => Promise<HandedOutcome> {
  assertKnownOptions(options, NAMES, WHERE)
  const { name, write, client } = options
  assertName(name, `${WHERE}.name`)
  assertFunction(write, `${WHERE}.write`)
  assertFunction(client?.call, `${WHERE}.client.call`)
  const remember = orDefault(options.remember, '1d')
  const bounds = { min: MINUTE_MS, max: MONTH_MS }
  const rememberMs = parseDuration(remember, `${WHERE}.remember`, bounds)
  const { values: bound, namespace } = writePartsOf(caches, WHERE)
  const origin = { namespace, queue: name }
  const values = new QueueValues({ queue: name, values: bound, merge: undefined })
  const versions = new WrittenVersions({ ...origin, client, rememberMs })
  const parts = { write: write as Writer<unknown>, values, versions }
  const turns = new KeyTurns()
  return async ({ data }, _token, signal = new AbortController().signal) => {
    const unfit = unfitData(data, origin)
    if (unfit !== undefined) throw new UnrecoverableError(`A job cannot be written: ${unfit}`)
    const { writes, fence } = data as HandedBatch
    const context = { fence: fence ?? undefined, signal }
    const keys = writes.map(({ key }) => key)
    return turns.run(keys, () => writeHanded(parts, writes, context))
  }
}

interface HandedParts {
  readonly write: Writer<unknown>
  readonly values: QueueValues
  readonly versions: WrittenVersions
}

async function writeHanded(
  { write, values, versions }: HandedParts,
  writes: readonly HandedWrite[],
  context: FlushContext,
): Promise<HandedOutcome> {
  const left = await versions.newOf(writes)
  const opened = await Promise.allSettled(left.map((each) => openWrite(each, values)))
  const unreadable = opened.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
  const ready = opened.flatMap((each) =>
    each.status === 'fulfilled' ? [{ write: each.value }] : [],
  )
  let succeeded = 0
  const failures = {
    get hasSucceeded(): boolean {
      return succeeded > 0
    },
    succeeded: (some: readonly unknown[]): void => {
      succeeded += some.length
    },
  }
  const held = {
    get isHeld(): boolean {
      return !context.signal.aborted
    },
  }
  const call = async (some: readonly WrittenWrite<unknown>[]): Promise<void> => {
    await runInFlush(context, async () => write(some, context))
  }
  const acknowledge = versions.note.bind(versions)
  const outcome = await writeBatch({ held, failures, call, acknowledge }, ready)
  context.signal.throwIfAborted()
  const untried = ready.length - succeeded - outcome.failed.length
  assertAllWritten(outcome, { unreadable, untried })
  return { written: succeeded, skipped: writes.length - left.length }
}

/** @throws what BullMQ is to try again, or an UnrecoverableError */
function assertAllWritten(
  { failed, error }: BatchOutcome,
  { unreadable, untried }: { readonly unreadable: readonly unknown[]; readonly untried: number },
): void {
  const again = failed.find((each) => !each.isFinal)
  if (again !== undefined) throw again.error
  if (untried > 0) throw error
  const [reason] = [...failed.map((each) => each.error), ...unreadable]
  if (reason === undefined) return
  const text = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason)
  const count = failed.length + unreadable.length
  throw new UnrecoverableError(`${count} of a batch will never be written. ${text}`)
}
