/** Ends the work that is under way when a manager closes. */

import type { CacheNode } from '../cache/node.ts'

/** How long `close()` waits for background work at most. */
const DRAIN_MS = 2_000

/** Waits shortly for background work, then ends what did not end by itself, so that nothing waits for it. */
export async function endWork(node: CacheNode): Promise<void> {
  const { clock, work, closing } = node
  let cancel: (() => void) | undefined
  const patience = new Promise<void>((resolve) => {
    cancel = clock.schedule(DRAIN_MS, resolve, 'caller')
  })
  await Promise.race([work.drain(), patience])
  cancel?.()
  for (const trace of node.traces) trace.fail(closing.signal.reason)
  // For loads that ignored their signal: nobody waits for them any longer.
  await node.leases.releaseAll()
  node.endDeadlines()
}
