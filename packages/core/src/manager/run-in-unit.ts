/** Runs a unit of work, such as a transaction: evictions are collected, and run when its promise settles. */

import { EvictionUnit } from '../cache/eviction-unit.ts'
import type { WritePath } from '../cache/write-path.ts'
import { currentCallScope, runInScope } from '../lifecycle/call-context.ts'

/** `owner`: whose evictions are collected. */
export async function runInUnit<Result>(
  owner: object,
  writes: WritePath,
  work: () => Promise<Result> | Result,
): Promise<Result> {
  const unit = new EvictionUnit()
  const outer = currentCallScope()
  const scope = { mode: outer?.mode, unit: { owner, work: unit }, outer, isOver: false }
  let result: Result
  try {
    result = await runInScope(scope, work)
  } catch (error) {
    // The error of the work says more than a failed eviction.
    await writes.evictAll(unit).catch(() => undefined)
    throw error
  }
  await writes.evictAll(unit)
  return result
}
