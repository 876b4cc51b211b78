/** Steps that the conformance cases of write queues have in common. */

import assert from 'node:assert/strict'
import type {
  EnqueueReply,
  QueueHold,
  TakenWrite,
  TakeReply,
  WaitingWrite,
  WriteKind,
  WriteProvider,
} from '../../contracts/write-provider.ts'

/** Two ends of one store. */
export type WriteEnds = readonly [WriteProvider, WriteProvider]
export type WriteCase = readonly [name: string, run: (ends: WriteEnds) => Promise<void>]

export const QUEUE = 'progress.1'
export const HOUR_MS = 3_600_000
const TEXT = new TextDecoder()

export type Taken = Extract<TakeReply, { kind: 'taken' }>

interface HowQueued {
  readonly kind?: WriteKind
  readonly delayMs?: number
  readonly most?: number
}

/** Puts a write for each name. */
export function enqueue(
  writes: WriteProvider,
  texts: Readonly<Record<string, string>>,
  { kind = 'value', delayMs = 0, most = 1_000 }: HowQueued = {},
): Promise<EnqueueReply> {
  const all = Object.entries(texts).map(([key, text]) => ({ key, kind, bytes: Buffer.from(text) }))
  return writes.enqueue(QUEUE, { writes: all, delayMs, most, onDiskMs: 0 })
}

/** The same where there is room; returns the versions. */
export async function put(
  ...given: Parameters<typeof enqueue>
): Promise<readonly [number, ...number[]]> {
  const reply = await enqueue(...given)
  assert.equal(reply.kind, 'queued')
  if (reply.kind !== 'queued') return [0]
  assert.equal(reply.versions.length, Object.keys(given[1]).length)
  return reply.versions as readonly [number, ...number[]]
}

export async function taken(
  writes: WriteProvider,
  owner: string,
  { holdMs = HOUR_MS, most = 1_000 } = {},
): Promise<Taken> {
  const reply = await writes.take(QUEUE, { owner, holdMs, most })
  assert.equal(reply.kind, 'taken')
  return reply as Taken
}

export function holdOf({ fence }: Taken, owner: string): QueueHold {
  return { owner, fence }
}

/** As `x`. */
export async function acknowledge(writes: WriteProvider, reply: Taken): Promise<void> {
  const written = reply.writes.map(writtenOf)
  assert.equal(await writes.acknowledge(QUEUE, holdOf(reply, 'x'), written), 'done')
}

export function writtenOf({ key, parts }: TakenWrite): { key: string; version: number } {
  return { key, version: parts.at(-1)?.version ?? 0 }
}

export function keysOf({ writes }: Taken): readonly string[] {
  return writes.map(({ key }) => key).sort()
}

export function textsOf(write: Pick<TakenWrite, 'parts'> | undefined): readonly string[] {
  return write?.parts.map(({ bytes }) => TEXT.decode(bytes)) ?? []
}

export function shown(waiting: WaitingWrite | undefined) {
  if (waiting === undefined) return undefined
  const { kind, version, bytes } = waiting
  return { kind, version, text: TEXT.decode(bytes) }
}
