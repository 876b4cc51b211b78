/** Locks of a namespace: who holds them and who waits. Read by plain commands, so that no lock is touched. */

import type { LockMode } from '@larder/core'
import { millisecondsOf, scoredOf } from '../commands/replies.ts'
import type { RedisClient } from '../connection/redis-client.ts'
import { lockKeys } from '../key-layout.ts'
import { modeOf, ownerOf } from '../locks/lock-member.ts'
import { askTogether, WRONG_TYPE } from './commands.ts'
import type { Inspected } from './inspected.ts'
import { type Looked, literally, mapScan, type ScanOptions, scanServers } from './scan.ts'

export interface LockRow {
  readonly name: string
  /** How it is held; `undefined` while nobody holds it: a lock is remembered for an hour after its last term. */
  readonly mode: LockMode | undefined
  readonly holders: readonly { readonly owner: string; readonly leftMs: number }[]
  /** The last fence granted. */
  readonly fence: number
  readonly waiting: number
}

const US_PER_MS = 1_000

export function scanLocks(
  inspection: Inspected,
  namespace: string,
  options: ScanOptions,
): AsyncGenerator<Looked<LockRow>, void, undefined> {
  const start = `{${namespace}:lock:`
  // A lock's key ends with the brace; what is kept beside it goes on after that.
  const scan = scanServers(inspection.servers(), `${literally(start)}*}`, options)
  return mapScan(scan, async (keys) => {
    const names = keys
      .filter((key) => key.startsWith(start))
      .map((key) => key.slice(start.length, -1))
    return readLocks(inspection.client, namespace, names)
  })
}

/** One lock; `undefined` when the store knows nothing of it. */
export async function readLock(
  client: RedisClient,
  namespace: string,
  name: string,
): Promise<LockRow | undefined> {
  const [row] = await readLocks(client, namespace, [name])
  return row
}

async function readLocks(
  client: RedisClient,
  namespace: string,
  names: readonly string[],
): Promise<readonly LockRow[]> {
  if (names.length === 0) return []
  const keys = names.map((name) => lockKeys(namespace, name))
  const [time, replies] = await Promise.all([
    client.time(),
    askTogether(
      client,
      keys.flatMap(({ lock, queue }) => [
        ['ZRANGE', lock, '0', '-1', 'WITHSCORES'] as const,
        ['ZCARD', queue] as const,
      ]),
    ),
  ])
  const nowUs = millisecondsOf(time) * US_PER_MS
  return names.flatMap((name, i) => {
    const members = replies[2 * i]
    const waiting = replies[2 * i + 1]
    if (members === WRONG_TYPE || scoredOf(members).length === 0) return []
    return [rowOf(name, scoredOf(members), { nowUs, waiting: Number(waiting) || 0 })]
  })
}

function rowOf(
  name: string,
  members: readonly (readonly [string, number])[],
  { nowUs, waiting }: { readonly nowUs: number; readonly waiting: number },
): LockRow {
  let fence = 0
  let mode: LockMode | undefined
  const holders: { owner: string; leftMs: number }[] = []
  for (const [member, score] of members) {
    if (member === '!fence') fence = -score
    if (score <= nowUs || member.startsWith('!')) continue
    mode = modeOf(member)
    holders.push({ owner: ownerOf(member), leftMs: Math.ceil((score - nowUs) / US_PER_MS) })
  }
  return { name, mode, holders, fence, waiting }
}
