/**
 * The async context of a call: what applies in it (`CallScope`), and how code that runs elsewhere or later for the call returns to it
 * (`KeptContext`).
 *
 * Code that gathers the work of several callers loses the context of each: a batch of one tick, a timer for many deadlines, a wake-up, a
 * message, a reply that resolves them all. What runs next runs in the context of the first caller, and there the user's loader would
 * see another request's tenant, transaction or trace, and cache a value made with these. So code that runs a user's function
 * later keeps the context at the call, and returns to it for that function.
 *
 * Awaiting does this by itself: after an `await` an async function is in its own context, whatever resolved the promise. Only
 * callbacks that other code calls need this. (`AsyncLocalStorage.snapshot()` does the same, and costs some hundred times as much on
 * Node 20 and 22.)
 */

import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
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

// One storage for modes and units, which is only read while there is a scope anywhere in the process.
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

/** The context of a call; made by `keepContext`. */
export type KeptContext = Pick<AsyncResource, 'runInAsyncScope'>

/** Keeps none: what runs in it runs in whatever context it is called in. */
export const CURRENT_CONTEXT: KeptContext = {
  runInAsyncScope: (task, self, ...args) => Reflect.apply(task, self, args),
}

/** Keeps the context of the running code. Cheap enough for every local miss, not for a local hit. */
export function keepContext(): KeptContext {
  return new AsyncResource('LARDER')
}

/**
 * Runs a task in a kept context; returns what the task returns, throws what it throws.
 *
 * @example
 * const context = keepContext()
 * batch.add(key, (value) => runIn(context, () => options.onValue(value)))
 */
export function runIn<Result>(context: KeptContext, task: () => Result): Result {
  return context.runInAsyncScope(task)
}
