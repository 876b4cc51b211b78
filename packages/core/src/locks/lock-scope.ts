/**
 * Which locks the running code holds, by async context: for `currentLock()` and for reentrancy. All copies of this
 * package share it.
 *
 * Only what runs inside `run` or a `@WithLock` method is inside. Work that was started there and continues after the end is
 * outside, and must take the lock itself.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { NoLockError } from '../errors/lock-error.ts'
import { shared } from '../lifecycle/shared-state.ts'
import type { HoldPart } from './hold-part.ts'
import type { HeldLock, Lock } from './lock.ts'

interface LockScope {
  /** The manager's locks: locks of one name from two managers are two locks. */
  readonly locks: object
  readonly lock: HeldLock
  readonly outer: LockScope | undefined
}

const { locks: state } = shared

/**
 * Returns the lock that the running `@WithLock` method (or `locks.run`) holds; the innermost one. It is also returned when it
 * was lost meanwhile, which its signal tells.
 *
 * @throws NoLockError outside of one
 * @example const { signal, fence } = currentLock()
 */
export function currentLock(): Lock {
  const scope = innermostScope()
  if (scope === undefined) throw new NoLockError()
  return scope.lock
}

/** Returns the running code's part in the live lock on a name. */
export function enclosingPart(locks: object, name: string): HoldPart | undefined {
  for (let at = innermostScope(); at !== undefined; at = at.outer) {
    if (at.locks !== locks || at.lock.isLeft || !at.lock.isLive) continue
    const part = at.lock.partOf(name)
    if (part !== undefined) return part
  }
  return undefined
}

/** Runs work inside a lock. */
export async function runInside<Result>(
  locks: object,
  lock: HeldLock,
  work: () => Promise<Result> | Result,
): Promise<Result> {
  const outer = innermostScope()
  state.scopes ??= new AsyncLocalStorage<unknown>()
  const { scopes } = state
  state.running += 1
  try {
    return await scopes.run({ locks, lock, outer }, work)
  } finally {
    lock.markLeft()
    state.running -= 1
    // On Node 20 and 22 an enabled storage makes every await of the process several times slower.
    if (state.running === 0) scopes.disable()
  }
}

/** A scope that was left does not count, even while other locks keep the storage enabled. */
function innermostScope(): LockScope | undefined {
  let scope = state.running === 0 ? undefined : (state.scopes?.getStore() as LockScope | undefined)
  while (scope?.lock.isLeft === true) scope = scope.outer
  return scope
}
