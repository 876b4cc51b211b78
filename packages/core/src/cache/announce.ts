/**
 * Tells other nodes that a key was refreshed: they may hold the old value, and a fill is never broadcast.
 *
 * What was filled is put once more, under the number known before the fill. If nothing has changed the key since, nothing
 * changes but the number, and the message makes others drop their copies. If something has, the put evicts.
 */

import type { Stamp } from '../coherence/stamp.ts'
import type { Flight } from './flight.ts'
import type { CacheNode } from './node.ts'

/** Less than any sequence number. */
const BELOW_ALL = 1

export interface Filled {
  readonly bytes: Uint8Array
  readonly livesMs: number
  readonly commit: number
  /** From before the fill. */
  readonly stamp: Stamp
  /** Keeps it here once more, on what it stands on then: the message may have come before the reply. */
  readonly keep: (stamp: Stamp) => void
}

/** Does nothing where the store numbers nothing: other nodes keep their copies for as long as those live. */
export async function announceRefreshed(
  node: CacheNode,
  flight: Flight,
  { bytes, livesMs, commit, stamp, keep }: Filled,
): Promise<void> {
  const { remote, coherence, puts, changes } = node
  const { address } = flight
  if (remote?.store.capabilities.sequences !== true || !coherence.isLevel(stamp)) return
  const since = Math.max(BELOW_ALL, stamp.seq)
  const voids = puts.has(address.key) || coherence.isInDoubt(address.key)
  const isKept = flight.isAlive
  const mark = changes.begin()
  try {
    const reply = await puts.during(address.key, () =>
      remote.run('put', (store) => store.put(address, { bytes, livesMs, since, voids })),
    )
    coherence.noteOwnPut(address, commit, reply)
    await coherence.publish({ kind: 'keys', ...reply, keys: [address.key] })
    coherence.applyMutation(reply, [address.key])
    const isLast = reply.stored && !changes.hasChanged(address.key, mark, reply.seq)
    if (isKept && isLast) keep({ ...stamp, seq: reply.seq })
  } catch (error) {
    remote.reportDefect('put', error)
  } finally {
    changes.end()
  }
}
