/** What there is to say of a namespace without looking at its entries: its tag clock and the logs of its partitions. */

import { ALL_PARTITIONS } from '@larder/core/store'
import { listOf, millisecondsOf, numberOf, scoredOf } from '../commands/replies.ts'
import { fleetKeys, logKey, storeKey, tagsKey } from '../key-layout.ts'
import { askTogether, WRONG_TYPE } from './commands.ts'
import type { Inspected } from './inspected.ts'

export interface NamespaceFacts {
  /** False when no node has ever used it here, or everything was lost. */
  readonly isKnown: boolean
  readonly nowMs: number
  readonly tags:
    | {
        /** How many tags were invalidated lately, as far as they are kept. */
        readonly count: number
        /** When a tag was invalidated last, or the clock began; ms of the server's clock. */
        readonly lastAtMs: number
        /** Entries born before count as invalid. */
        readonly floorAtMs: number
        /** For how long tags are kept at least, as nodes have asked for it; 0 when none has. */
        readonly retentionMs: number
      }
    | undefined
  readonly changes: {
    /** Keys that were evicted or put within the last minute, as far as the logs reach. */
    readonly lastMinute: number
    /** When the last one was; `undefined` when there was none. */
    readonly lastAtMs: number | undefined
    /** Partitions with a log, of all. */
    readonly partitions: number
  }
}

const RESERVED = 3
const US_PER_MS = 1_000
const MINUTE_US = 60_000_000

export async function readNamespace(
  { client }: Inspected,
  namespace: string,
): Promise<NamespaceFacts> {
  const tags = tagsKey(namespace)
  const nowMs = millisecondsOf(await client.time())
  const since = nowMs * US_PER_MS - MINUTE_US
  const [identity, clock, count, nodes, ...logs] = await askTogether(client, [
    ['GET', storeKey(namespace)],
    ['ZMSCORE', tags, '!version', '!floor', '!retention'],
    ['ZCARD', tags],
    ['ZCARD', fleetKeys(namespace).ends],
    ...ALL_PARTITIONS.flatMap((partition) => {
      const log = logKey(namespace, partition)
      return [
        ['ZCOUNT', log, `(${since}`, '+inf'] as const,
        ['ZRANGE', log, '-1', '-1', 'WITHSCORES'] as const,
      ]
    }),
  ])
  const changes = changesOf(logs)
  const clockNow = clock === WRONG_TYPE ? undefined : clockOf(listOf(clock), count)
  return {
    isKnown:
      Buffer.isBuffer(identity) ||
      clockNow !== undefined ||
      changes.partitions > 0 ||
      (typeof nodes === 'number' && nodes > 0),
    nowMs,
    tags: clockNow,
    changes,
  }
}

function clockOf(scores: readonly unknown[], count: unknown): NamespaceFacts['tags'] {
  const [version, floor, retention] = scores
  if (version === null || version === undefined) return undefined
  return {
    count: Math.max(0, numberOf(count) - RESERVED),
    lastAtMs: Math.floor(-numberOf(version) / US_PER_MS),
    floorAtMs: Math.floor(-numberOf(floor ?? version) / US_PER_MS),
    retentionMs: Math.abs(numberOf(retention ?? 0)),
  }
}

function changesOf(logs: readonly unknown[]): NamespaceFacts['changes'] {
  let lastMinute = 0
  let lastUs = 0
  let partitions = 0
  for (let i = 0; i < logs.length; i += 2) {
    if (logs[i] === WRONG_TYPE || logs[i + 1] === WRONG_TYPE) continue
    const [last] = scoredOf(logs[i + 1])
    if (last !== undefined) partitions += 1
    lastMinute += numberOf(logs[i])
    lastUs = Math.max(lastUs, last?.[1] ?? 0)
  }
  const lastAtMs = lastUs > 0 ? Math.floor(lastUs / US_PER_MS) : undefined
  return { lastMinute, lastAtMs, partitions }
}
