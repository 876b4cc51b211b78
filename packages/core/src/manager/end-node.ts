/** Ends what a node still does when its manager closes. */

import type { CacheNode } from '../cache/node.ts'

/** How long background work is waited for at most. */
const DRAIN_MS = 2_000

/** Waits for background work, then ends what is left of it, and closes the tiers. To be called after `closing` has aborted. */
export async function endNode(node: CacheNode): Promise<void> {
  const { clock, work, traces, closing, settling, local, remote } = node
  let cancel: (() => void) | undefined
  const patience = new Promise<void>((resolve) => {
    cancel = clock.schedule(DRAIN_MS, resolve, 'caller')
  })
  await Promise.race([work.drain(), patience])
  cancel?.()
  // What did not end by itself ends now, for those who trace it.
  for (const trace of traces) trace.fail(closing.signal.reason)
  // For loads that ignored their signal: nobody waits for them any longer.
  await node.leases.releaseAll()
  node.endDeadlines()
  settling.clear()
  local?.close()
  await remote?.close()
}
