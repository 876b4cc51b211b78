/**
 * A key was changed on this node in a cache that stays local. Other nodes may hold it in their own local tiers, so they are
 * told: by an eviction in the store, which also gives the change a number.
 */

import type { EntryAddress, MutationReply } from '../contracts/remote-store.ts'
import type { Stamp } from '../entry/stamp.ts'
import type { CacheNode } from './node.ts'

const HARD = { soft: false, settleMs: 0 } as const

/** What became of it. */
export interface Told {
  /** Of the store, if it evicted. */
  readonly reply?: MutationReply | undefined
  /** What the store, or its bus, failed with: an eviction has to be queued. */
  readonly cause?: unknown
}

/** Tells the other nodes. Whatever is kept of the key here is forgotten when the store has answered. Never rejects. */
export async function tellOthers(
  node: Pick<CacheNode, 'coherence' | 'knowledge' | 'remote'>,
  address: EntryAddress,
): Promise<Told> {
  const { coherence, knowledge, remote } = node
  if (remote === undefined) return {}
  const { key, partition } = address
  const { heard } = knowledge.partition(partition)
  let reply: MutationReply | undefined
  let cause: unknown
  try {
    ;[reply] = await remote.run('evict', (store) => store.evict([address], HARD))
    if (reply !== undefined) {
      knowledge.noteOwnPut(address, 0, { ...reply, stored: false }, heard)
      await coherence.publish({ kind: 'keys', ...reply, keys: [key] })
    }
  } catch (error) {
    cause = error
    remote.reportDefect('evict', error)
  }
  if (reply !== undefined) coherence.applyMutation(reply, [key], heard)
  return { reply, cause }
}

/** A value, from before it was made. */
export interface Begun {
  readonly stamp: Stamp
  /** The moment up to which the stamp is known to stand, see `ChangeMarks`. */
  readonly mark: number
}

/**
 * Returns what a value stands on once the store has numbered its change; `undefined` if something else may have changed the
 * key since the value's stamp, and be newer.
 */
export function standingAfter(
  node: Pick<CacheNode, 'knowledge' | 'changes'>,
  { key, partition }: EntryAddress,
  { reply }: Told,
  { stamp, mark }: Begun,
): Stamp | undefined {
  const { knowledge, changes } = node
  if (reply === undefined) return undefined
  const { seq } = reply
  const now = knowledge.stamp(partition)
  // Everything up to our own change was heard of: otherwise nobody here knows what else happened to the key.
  const isKnown = knowledge.isLevel(stamp) && now.seq >= seq
  if (!isKnown || changes.hasChanged(key, mark, stamp.seq, seq)) return undefined
  return { ...now, birth: stamp.birth, seq }
}

/** The same for a value that counts as made now, or where the store numbers nothing: `undefined` if something came after it. */
export function standingNow(
  node: Pick<CacheNode, 'knowledge' | 'changes'>,
  { key, partition }: EntryAddress,
  { reply }: Told,
  { stamp, mark }: Begun,
): Stamp | undefined {
  const now = node.knowledge.stamp(partition)
  const seq = reply?.seq ?? now.seq
  if (node.changes.hasChanged(key, mark, seq)) return undefined
  return { ...now, birth: stamp.birth, seq }
}
