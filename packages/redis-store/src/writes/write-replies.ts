/** Reads the answers of lua/write-*.lua. */

import type {
  BuriedWrite,
  BuryReply,
  EnqueueReply,
  QueueState,
  ReplayReply,
  TakenWrite,
  TakeReply,
  WaitingWrite,
  WriteKind,
} from '@larder/core/store'
import { bytesOf, listOf, numberOf, textOf, UnexpectedReplyError } from '../commands/replies.ts'

const LETTERS = { value: 'v', delete: 'd', merge: 'm' } as const satisfies Record<WriteKind, string>
const KINDS: Readonly<Record<string, WriteKind>> = { v: 'value', d: 'delete', m: 'merge' }
const WAITING: Readonly<Record<string, WaitingWrite['kind']>> = {
  v: 'value',
  d: 'delete',
  s: 'several',
}
const BURIED: readonly BuryReply[] = ['lost', 'buried', 'newer', 'full']
const US_PER_MS = 1_000

export function kindLetter(kind: WriteKind): string {
  return LETTERS[kind]
}

/** @throws UnexpectedReplyError; so do all of these */
export function readWaiting(reply: readonly unknown[]): readonly (WaitingWrite | undefined)[] {
  return reply.map((item) => {
    const [kind, version, since, bytes] = listOf(item)
    if (kind === undefined) return undefined
    return {
      kind: known(WAITING, kind),
      version: numberOf(version),
      since: numberOf(since),
      bytes: bytesOf(bytes),
    }
  })
}

export function readEnqueued(reply: unknown): EnqueueReply {
  const [isQueued, ...rest] = listOf(reply)
  if (isQueued !== 1) return { kind: 'full', waiting: numberOf(rest[0]) }
  return { kind: 'queued', versions: rest.map(numberOf), isOnDisk: false }
}

export function readTaken(reply: readonly unknown[]): TakeReply {
  const [isTaken, first, next, ...writes] = reply
  if (isTaken !== 1) return { kind: 'held', remainingMs: numberOf(first) }
  const nextMs = numberOf(next)
  return {
    kind: 'taken',
    fence: numberOf(first),
    nextMs: nextMs < 0 ? undefined : nextMs,
    writes: writes.map((write) => {
      const [key, tries, vanished, ...parts] = listOf(write)
      const facts = { tries: numberOf(tries), vanished: numberOf(vanished) }
      return { key: textOf(key), ...facts, parts: partsOf(parts) }
    }),
  }
}

export function readBuryOutcome([outcome]: readonly unknown[]): BuryReply {
  return BURIED[numberOf(outcome)] ?? unexpected()
}

export function readState(reply: readonly unknown[]): QueueState {
  const [writes = 0, keys = 0, deadLetters = 0, upTo = 0, oldestMs = 0] = reply.map(numberOf)
  return { writes, keys, deadLetters, upTo, oldestMs }
}

export function readBuried(reply: readonly unknown[]): readonly BuriedWrite[] {
  return reply.map((row) => {
    const [id, isOutdated, key, at, tries, error, ...parts] = listOf(row)
    return {
      id: textOf(id),
      key: textOf(key),
      error: textOf(error),
      buriedAt: Math.floor(numberOf(at) / US_PER_MS),
      tries: numberOf(tries),
      isOutdated: isOutdated === 1,
      parts: partsOf(parts),
    }
  })
}

export function readReplayed([outcome, key, version]: readonly unknown[]): ReplayReply {
  if (outcome === 0) return { kind: 'absent' }
  if (outcome === 2) return { kind: 'outdated' }
  return { kind: 'replayed', key: textOf(key), version: numberOf(version) }
}

function partsOf(items: readonly unknown[]): TakenWrite['parts'] {
  const parts: TakenWrite['parts'][number][] = []
  for (let i = 0; i < items.length; i += 3) {
    const kind = known(KINDS, items[i])
    parts.push({ kind, version: numberOf(items[i + 1]), bytes: bytesOf(items[i + 2]) })
  }
  return parts
}

function known<Word>(words: Readonly<Record<string, Word>>, item: unknown): Word {
  return words[textOf(item)] ?? unexpected()
}

function unexpected(): never {
  throw new UnexpectedReplyError('A script about writes replied with an unknown word')
}
