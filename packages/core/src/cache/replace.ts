/**
 * How the result of a refresh gets into the store: other nodes may hold the old value, and a fill is never broadcast. So it
 * is put, which gives it a number and makes the others drop their copies.
 *
 * It is fenced like a fill, and by more than that. The lease shows that nobody else has taken over the load: it is renewed before the
 * put, which ends it. The number from before the look shows that nothing has changed the key since; if something has, or if that number is
 * of a history that is over, the put evicts: the others are told in any case.
 * The look also shows that no settle window is open, which a put would end.
 */

import type { Stamp } from '../entry/stamp.ts'
import type { Flight } from './flight.ts'
import type { Lease } from './lease.ts'
import type { CacheNode } from './node.ts'

/** Less than any sequence number. A put that names it evicts the key. */
const BELOW_ALL = 1

export interface Replacement {
  readonly bytes: Uint8Array
  readonly livesMs: number
  readonly commit: number
  /** Keeps it here once more, under the stamp of the put: the message about the put may have come before its reply. */
  readonly keep: (stamp: Stamp) => void
}

/**
 * Whether what was loaded is put. Not if the store has no sequence numbers: there others find the result when they compare their copies.
 * Nor if a settle window is open, whose end is the end of their copies, too.
 */
export function replaces({ knowledge }: Pick<CacheNode, 'knowledge'>, { ask }: Flight): boolean {
  return ask !== undefined && !ask.isSettling && knowledge.hasSequences
}

/** `evicted`: something has changed the key, so the put evicted it. `lost`: the lease is not there any more, so nothing was done. */
export type ReplaceOutcome = 'stored' | 'evicted' | 'lost'

/** @throws what the store fails with */
export async function replace(
  node: Pick<CacheNode, 'remote' | 'coherence' | 'knowledge' | 'changes'>,
  { address, stamp, ask, isAlive }: Flight,
  lease: Lease,
  { bytes, livesMs, commit, keep }: Replacement,
): Promise<ReplaceOutcome> {
  const { remote, coherence, knowledge, changes } = node
  if (remote === undefined) return 'lost'
  const since = sinceOf(knowledge, address.key, ask?.stamp)
  const sent = knowledge.stamp(address.partition)
  const { heard } = knowledge.partition(address.partition)
  const mark = changes.begin()
  try {
    const { token, leaseMs } = lease
    if (!(await remote.run('renew', (store) => store.renew(address, token, leaseMs)))) return 'lost'
    const request = { bytes, livesMs, since }
    const reply = await remote.run('put', (store) => store.put(address, request))
    lease.spend()
    knowledge.noteOwnPut(address, commit, reply, heard)
    await coherence.publish({ kind: 'keys', ...reply, keys: [address.key] })
    coherence.applyMutation(reply, [address.key], heard)
    const isLast = !changes.hasChanged(address.key, mark, reply.seq) && ask?.isSuperseded !== true
    if (reply.stored && isAlive && isLast) keep({ ...sent, birth: stamp.birth, seq: reply.seq })
    return reply.stored ? 'stored' : 'evicted'
  } finally {
    changes.end(mark)
  }
}

/** The number that tells the store whether the key was changed since the look. */
function sinceOf(
  knowledge: CacheNode['knowledge'],
  key: string,
  looked: Stamp | undefined,
): number {
  const isUnknown = looked === undefined || !knowledge.isLevel(looked) || knowledge.isInDoubt(key)
  return isUnknown ? BELOW_ALL : Math.max(BELOW_ALL, looked.seq)
}
