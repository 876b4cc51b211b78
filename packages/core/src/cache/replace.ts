/**
 * How the result of a refresh gets into the store: other nodes may hold the old value, and a fill is never broadcast. So it
 * is put, which gives it a number and makes the others drop their copies.
 *
 * It is fenced like a fill, and by more than that. The lease shows that nobody else has taken over the load: it is renewed before the
 * put, which ends it. The number from before the look shows that nothing has changed the key since; if something has, the put evicts.
 * The look also shows that no settle window is open, which a put would end.
 */

import type { Stamp } from '../entry/stamp.ts'
import type { Flight } from './flight.ts'
import type { Lease } from './lease.ts'
import type { CacheNode } from './node.ts'
import type { RefreshAsk } from './refresh-ask.ts'

/** Less than any sequence number. */
const BELOW_ALL = 1

export interface Replacement {
  readonly bytes: Uint8Array
  readonly livesMs: number
  readonly commit: number
  /** Keeps it here once more, under the stamp of the put: the message about the put may have come before its reply. */
  readonly keep: (stamp: Stamp) => void
}

/** False if the store has no sequence numbers, or a settle window is open. Then it is a fill, and others keep their copies to the end. */
export function canReplace(
  node: Pick<CacheNode, 'remote' | 'knowledge'>,
  { stamp, isSettling }: RefreshAsk,
): boolean {
  if (stamp === undefined || isSettling) return false
  const { remote, knowledge } = node
  return remote?.store.capabilities.sequences === true && knowledge.isLevel(stamp)
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
  const isInDoubt = knowledge.isInDoubt(address.key)
  const since = isInDoubt ? BELOW_ALL : Math.max(BELOW_ALL, ask?.stamp?.seq ?? 0)
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
