/**
 * `caches.locks`: takes locks, keeps them alive, gives them back.
 *
 * What a lock promises: on one Redis at most one owner at any instant of the server's clock; a holder whose term ends
 * learns of it from its own clock before the server lets the next one in; fences only rise. What it does not promise:
 * that a process which was held up (a long pause, a stopped container) does nothing after its term. Only the resource it
 * writes to can prevent that, by refusing lower fences.
 */

import { INTERNALS } from '../contracts/internals.ts'
import type { LockState } from '../contracts/lock-provider.ts'
import type { Key } from '../keys/key-text.ts'
import { assertFunction } from '../options/assert-option.ts'
import type { HeldLocks } from './held-locks.ts'
import type { Lock } from './lock.ts'
import { type LockKeys, lockName, lockNames } from './lock-name.ts'
import { type LockOptions, type ResolvedLockOptions, resolveLockOptions } from './lock-options.ts'

export class Locks {
  /** For decorators, and for the manager that closes them. */
  readonly [INTERNALS]: HeldLocks

  /** Use `caches.locks`. */
  constructor(held: HeldLocks) {
    this[INTERNALS] = held
  }

  /**
   * Takes a lock, or several, and keeps it until it is released: by `release()`, or at the end of the block with `await using`.
   *
   * Inside `run` or a `@WithLock` method that already holds the same key, the result is a share in that lock.
   *
   * @throws LockTimeoutError when it stayed held; LockUnavailableError when the store cannot say; InvalidOptionError
   * @example await using lock = await caches.locks.acquire('order:7', { lease: '10s', wait: '5s' })
   */
  acquire(keys: LockKeys, options: LockOptions = {}): Promise<Lock> {
    try {
      const names = lockNames(keys, 'locks.acquire.keys')
      return this[INTERNALS].acquire(names, this.#resolve(options, 'locks.acquire'), false)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Runs work under one lock or several, and gives the lock back afterwards: when the work has ended, and all work that shares
   * in the lock has ended too. Nested calls with the same key share in it.
   *
   * @returns what the work returns
   * @throws as `acquire`; what the work throws; LockLostError, with the work's result, when the lock was lost meanwhile
   * @example await caches.locks.run('report', { lease: '30s' }, async ({ signal }) => build(signal))
   */
  async run<Result>(
    keys: LockKeys,
    options: LockOptions,
    work: (lock: Lock) => Promise<Result> | Result,
  ): Promise<Result> {
    assertFunction(work, 'locks.run.work')
    const names = lockNames(keys, 'locks.run.keys')
    return this[INTERNALS].run(names, this.#resolve(options, 'locks.run'), work)
  }

  /** Looks at a lock; for people and tests. The answer may be outdated when it is read. @throws when the store is away */
  inspect(key: Key): Promise<LockState> {
    return this[INTERNALS].store.inspect(lockName(key, 'locks.inspect.key'))
  }

  #resolve(options: LockOptions, where: string): ResolvedLockOptions {
    const resolved = resolveLockOptions(options, where)
    this[INTERNALS].assertPossible(resolved, where)
    return resolved
  }
}
