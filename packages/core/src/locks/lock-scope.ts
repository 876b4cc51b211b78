/**
 * Which locks the running code holds, by async context: for `currentLock()` and for reentrancy.
 *
 * Only what runs inside `run` or a `@WithLock` method is inside. Work that was started there and goes on after the end finds
 * the lock released, and has to take it for itself.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { NoLockError } from '../errors/lock-error.ts'
import type { HeldLock, Lock } from './lock.ts'

interface Scope {
  /** Whose locks: two managers' locks of one name are two locks. */
  readonly locks: object
  readonly lock: HeldLock
  readonly outer: Scope | undefined
}

const scopes = new AsyncLocalStorage<Scope>()
let running = 0

/**
 * Returns the lock that the running `@WithLock` method (or `locks.run`) holds; the innermost one.
 *
 * @throws NoLockError outside of one
 * @example const { signal, fence } = currentLock()
 */
export function currentLock(): Lock {
  const scope = running === 0 ? undefined : scopes.getStore()
  if (scope === undefined) throw new NoLockError()
  return scope.lock
}

/** Returns the live lock on a name that the running code is inside of. */
export function enclosingLock(locks: object, name: string): HeldLock | undefined {
  if (running === 0) return undefined
  for (let at = scopes.getStore(); at !== undefined; at = at.outer) {
    if (at.locks === locks && at.lock.keys.includes(name) && at.lock.isLive) return at.lock
  }
  return undefined
}

/** Runs work inside a lock. */
export async function runInside<Result>(
  locks: object,
  lock: HeldLock,
  work: () => Promise<Result> | Result,
): Promise<Result> {
  const outer = running === 0 ? undefined : scopes.getStore()
  running += 1
  try {
    return await scopes.run({ locks, lock, outer }, work)
  } finally {
    running -= 1
    // On Node 20 and 22 an enabled storage makes every await of the process several times slower.
    if (running === 0) scopes.disable()
  }
}
