/**
 * What applies to all calls in an async context: the mode of `skipCache`, and the unit of work they are part of.
 *
 * One storage for both, which is only read while there is a scope anywhere in the process.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { shared } from './shared-state.ts'

/**
 * `skip`: call `@Cacheable` methods as if they were not cached. `refresh`: load anew and cache the result. `localOnly`:
 * leave the shared tier out.
 */
export type SkipMode = 'skip' | 'refresh' | 'localOnly'

/** One call of `skipCache`, or of `deferEvictions`. */
export interface CallScope {
  /** That of the innermost `skipCache`. */
  readonly mode: SkipMode | undefined
  /** A unit of work, and the manager whose evictions it collects. */
  readonly unit?: { readonly owner: object; readonly work: unknown } | undefined
  readonly outer: CallScope | undefined
  /** Work that was started in a scope may continue after it, and is then not part of it. */
  isOver: boolean
}

const { skip } = shared

/** Runs work in a scope, until its promise settles. */
export async function runInScope<Result>(
  scope: CallScope,
  work: () => Promise<Result> | Result,
): Promise<Result> {
  skip.scopes ??= new AsyncLocalStorage<unknown>()
  const { scopes } = skip
  skip.running += 1
  try {
    return await scopes.run(scope, work)
  } finally {
    scope.isOver = true
    skip.running -= 1
    // On Node 20 and 22 an enabled storage makes every await of the process several times slower.
    if (skip.running === 0) scopes.disable()
  }
}

/** Runs work outside of every unit of work, in the same mode. Costs one comparison while there is no scope anywhere. */
export function runOutsideUnits<Result>(work: () => Promise<Result>): Promise<Result> {
  const scope = currentCallScope()
  if (scope === undefined) return work()
  return runInScope({ mode: scope.mode, outer: undefined, isOver: false }, work)
}

/** Returns the innermost scope that the running code is in. Costs one comparison while there is none anywhere. */
export function currentCallScope(): CallScope | undefined {
  if (skip.running === 0) return undefined
  let scope = skip.scopes?.getStore() as CallScope | undefined
  while (scope?.isOver === true) scope = scope.outer
  return scope
}

/** Returns the mode of the innermost `skipCache`. Costs one comparison while there is no scope anywhere. */
export function currentSkip(): SkipMode | undefined {
  return currentCallScope()?.mode
}

/** Returns the unit of work of an owner that the running code is part of. */
export function currentUnitOf(owner: object): unknown {
  for (let at = currentCallScope(); at !== undefined; at = at.outer) {
    if (!at.isOver && at.unit?.owner === owner) return at.unit.work
  }
  return undefined
}
