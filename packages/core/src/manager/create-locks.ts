/** Which provider a manager's locks come from. */

import type { CacheNode } from '../cache/node.ts'
import { createPreciseClock } from '../clock/precise-clock.ts'
import type { LockProvider } from '../contracts/lock-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { HeldLocks } from '../locks/held-locks.ts'
import { Locks } from '../locks/locks.ts'
import type { ResolvedManagerOptions } from '../options/manager-options.ts'

/**
 * Makes the locks of a manager.
 *
 * @throws InvalidOptionError where there is no provider: a shared store without locks is not quietly replaced by this
 *   process's own, which would exclude nobody else.
 */
export function createLocks(options: ResolvedManagerOptions, { events, work }: CacheNode): Locks {
  const { namespace, clock = createPreciseClock() } = options
  const local = options.local?.locks
  const provider = providerOf(options, local)
  // What excludes nobody else is never away.
  const fallback = provider.capabilities.shared ? local : undefined
  return new Locks(new HeldLocks({ namespace, provider, fallback, clock, events, work }))
}

function providerOf(
  { locks, remote }: ResolvedManagerOptions,
  local: LockProvider | undefined,
): LockProvider {
  const provider = locks ?? (remote === undefined ? local : remote.locks)
  if (provider !== undefined) return provider
  throw new InvalidOptionError({
    option: 'createCacheManager.locks',
    expected: 'a lock provider, because the stores given have none',
    received: undefined,
  })
}
