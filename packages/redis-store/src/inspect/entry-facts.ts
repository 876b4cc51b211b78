/**
 * Everything in the store that decides what a read of one entry would do: its header, the tag clock, the partition's log.
 *
 * Read by plain commands that create nothing, in two round trips. They are not one step: a change in between shows in the one
 * and not in the other, and the next look has it.
 */

import {
  cacheTag,
  EVERYTHING,
  partitionOf,
  partitionTag,
  type StoredEntry,
  softTag,
} from '@larder/core/store'
import { listOf, millisecondsOf, numberOf, scoredOf } from '../commands/replies.ts'
import { sendTogether } from '../commands/send-together.ts'
import type { RedisClient, Reply } from '../connection/redis-client.ts'
import { entryKey, hashTagOf, logKey, tagsKey } from '../key-layout.ts'
import { askTogether, WRONG_TYPE } from './commands.ts'
import { cacheOf, headCommands, readHead } from './scanned-entries.ts'

/** What is stored under the key of an entry. */
export type StoredForm =
  | { readonly kind: 'absent' }
  /** A value of another type, or bytes that are not an entry of this format. Nodes treat it as absent. */
  | { readonly kind: 'foreign' }
  | {
      readonly kind: 'entry'
      /** The payload cut off: it may be large, and nobody asked for it. */
      readonly head: StoredEntry
      /** `undefined` where the user has no right to ask. */
      readonly bytes: number | undefined
      /** Until Redis forgets it, ms. */
      readonly leftMs: number
    }

export interface EntryFacts {
  readonly key: string
  readonly cache: string
  readonly partition: number
  /** The server's clock, ms. */
  readonly nowMs: number
  readonly stored: StoredForm
  readonly tags: {
    /** Where the tag clock stands; `undefined` where there is none, as before the first node and after a loss. */
    readonly clock: { readonly version: number; readonly floor: number } | undefined
    /** When what the entry carries was invalidated, as versions of the tag clock, by the names of its table. */
    readonly versions: ReadonlyMap<string, number>
  }
  readonly log: {
    /** Where the partition stands, and up to where its log may have holes; `undefined` where there is none. */
    readonly head: { readonly seq: number; readonly floor: number } | undefined
    /** Numbers of the changes of this key that the log still has, oldest first. */
    readonly changes: readonly number[]
  }
}

export async function readEntryFacts(
  client: RedisClient,
  namespace: string,
  key: string,
): Promise<EntryFacts> {
  const partition = partitionOf(key)
  const place = entryKey(namespace, partition, key)
  const tags = tagsKey(namespace)
  const log = logKey(namespace, partition)
  const [time, [beginning, bytes, left], [clock, members]] = await Promise.all([
    timeAt(client, place),
    askTogether(client, headCommands(place)),
    askTogether(client, [
      ['ZMSCORE', tags, '!version', '!floor'],
      ['ZRANGE', log, '0', '-1', 'WITHSCORES'],
    ]),
  ])
  const isText = Buffer.isBuffer(beginning) && beginning.length > 0
  const head = isText ? await readHead(client, place, beginning) : undefined
  const names = namesOf(head?.tags ?? [], cacheOf(key), partition)
  const [versions] = await askTogether(client, [
    ['ZMSCORE', tags, ...names.map((name) => `t:${name}`)],
  ])
  return {
    key,
    cache: cacheOf(key),
    partition,
    nowMs: millisecondsOf(time),
    stored: storedForm(head, beginning, { bytes, left }),
    tags: { clock: clockOf(clock), versions: versionsOf(names, versions) },
    log: logOf(members, key),
  }
}

/** The clock of the server that has a key: those of a Cluster may differ. */
async function timeAt(client: RedisClient, key: string): Promise<Reply> {
  const [time] = sendTogether(client, [{ hashTag: hashTagOf(key), send: (to) => to.time() }])
  return time
}

/** Everything whose invalidation concerns an entry, hard and soft, by the names of the tag clock's table. */
function namesOf(tags: readonly string[], cache: string, partition: number): readonly string[] {
  const hard = [...tags, cacheTag(cache), EVERYTHING, partitionTag(partition)]
  return [...hard, ...hard.map(softTag)]
}

function storedForm(
  head: StoredEntry | undefined,
  beginning: unknown,
  { bytes, left }: { readonly bytes: unknown; readonly left: unknown },
): StoredForm {
  if (head !== undefined)
    return {
      kind: 'entry',
      head,
      bytes: typeof bytes === 'number' ? bytes : undefined,
      leftMs: numberOf(left),
    }
  const isAbsent = Buffer.isBuffer(beginning) && beginning.length === 0
  return { kind: isAbsent ? 'absent' : 'foreign' }
}

function clockOf(
  scores: Reply | typeof WRONG_TYPE,
): { version: number; floor: number } | undefined {
  if (scores === WRONG_TYPE) return undefined
  const [version, floor] = listOf(scores)
  if (version === null || version === undefined) return undefined
  return { version: -numberOf(version), floor: -numberOf(floor ?? version) }
}

function versionsOf(
  names: readonly string[],
  scores: Reply | typeof WRONG_TYPE,
): ReadonlyMap<string, number> {
  if (scores === WRONG_TYPE) return new Map()
  const found = listOf(scores)
  return new Map(
    names.flatMap((name, i) => {
      const score = found[i]
      return score === null || score === undefined ? [] : [[name, numberOf(score)] as const]
    }),
  )
}

function logOf(members: Reply | typeof WRONG_TYPE, key: string): EntryFacts['log'] {
  if (members === WRONG_TYPE) return { head: undefined, changes: [] }
  const head = new Map<string, number>()
  const changes: number[] = []
  for (const [member, score] of scoredOf(members)) {
    if (score <= 0) head.set(member, -score)
    else if (member.slice(member.indexOf(':') + 1) === key) changes.push(score)
  }
  const seq = head.get('!seq')
  if (seq === undefined) return { head: undefined, changes }
  return { head: { seq, floor: head.get('!floor') ?? seq }, changes }
}
