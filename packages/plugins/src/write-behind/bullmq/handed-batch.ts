/**
 * A batch as the data of a job: keys and versions as they are, values as the codec and its steps make them, so that what is encrypted in the
 * store is encrypted in the job.
 */

import { createHash } from 'node:crypto'
import type { QueueValues } from '../queue-values.ts'
import type { WrittenWrite } from '../written-write.ts'

/** The data of a job. */
export interface HandedBatch {
  /** The form of this data. */
  readonly larder: 1
  readonly namespace: string
  /** Name of the write-behind queue. */
  readonly queue: string
  /** Of the hold under which it was handed over; `null` for none. */
  readonly fence: number | null
  readonly writes: readonly HandedWrite[]
}

export interface HandedWrite {
  readonly key: string
  readonly kind: 'value' | 'delete'
  readonly version: number
  /** Base64; empty for a delete. */
  readonly value: string
}

/** Which queue a batch is of. */
export interface BatchOrigin {
  readonly namespace: string
  readonly queue: string
}

/** The same for the same writes in any order, in every process. */
export function jobIdOf({ namespace, queue }: BatchOrigin, writes: readonly HandedWrite[]): string {
  const versions = writes.map(({ key, version }) => [key, version] as const)
  versions.sort(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify([namespace, queue, versions])
  // BullMQ takes no colons in an id.
  return `larder-${createHash('sha256').update(text).digest('base64url')}`
}

/** @throws ValueError for a value that cannot be encoded */
export async function sealWrite(
  { key, kind, version, value }: WrittenWrite<unknown>,
  values: QueueValues,
): Promise<HandedWrite> {
  const bytes = await values.seal(key, kind, value)
  const isDelete = kind === 'delete'
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  return { key, kind: isDelete ? 'delete' : 'value', version, value: text }
}

/** @throws what cannot be decoded */
export async function openWrite(
  { key, kind, version, value }: HandedWrite,
  values: QueueValues,
): Promise<WrittenWrite<unknown>> {
  const facts = { key, version, since: version }
  if (kind === 'delete') return { ...facts, kind, value: undefined }
  return { ...facts, kind, value: await values.open(key, Buffer.from(value, 'base64')) }
}

/** What is wrong with the data of a job; `undefined` for nothing. */
export function unfitData(data: unknown, { namespace, queue }: BatchOrigin): string | undefined {
  if (!isBatch(data)) return 'its data is no batch of a write-behind queue'
  if (data.namespace === namespace && data.queue === queue) return undefined
  return `it is of the queue ${data.queue} of the namespace ${data.namespace}, and this processor is for ${queue} of ${namespace}`
}

function isBatch(data: unknown): data is HandedBatch {
  if (typeof data !== 'object' || data === null) return false
  const { larder, namespace, queue, fence, writes } = data as Partial<HandedBatch>
  const isNamed = typeof namespace === 'string' && typeof queue === 'string'
  const isFenced = fence === null || Number.isSafeInteger(fence)
  return larder === 1 && isNamed && isFenced && Array.isArray(writes) && writes.every(isWrite)
}

function isWrite(write: unknown): write is HandedWrite {
  if (typeof write !== 'object' || write === null) return false
  const { key, kind, version, value } = write as Partial<HandedWrite>
  const isKind = kind === 'value' || kind === 'delete'
  return (
    isKind && typeof key === 'string' && Number.isSafeInteger(version) && typeof value === 'string'
  )
}
