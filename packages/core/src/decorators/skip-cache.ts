/** `skipCache`: run something past the cache, by async context. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { assertFunction, assertOneOf } from '../options/assert-option.ts'

/**
 * `skip`: call the methods as if they were not cached. `refresh`: load anew and cache the result. `localOnly`: leave the
 * shared tier out.
 */
export type SkipMode = 'skip' | 'refresh' | 'localOnly'

const modes = new AsyncLocalStorage<SkipMode>()
let running = 0

/**
 * Runs `work`; cached methods called in it, at any depth, follow `mode`.
 *
 * @throws InvalidOptionError for another mode.
 * @example await skipCache(() => products.find('42'))
 */
export async function skipCache<Result>(
  work: () => Promise<Result> | Result,
  mode: SkipMode = 'skip',
): Promise<Result> {
  assertFunction(work, 'skipCache.work')
  assertOneOf(mode, ['skip', 'refresh', 'localOnly'], 'skipCache.mode')
  running += 1
  try {
    return await modes.run(mode, work)
  } finally {
    running -= 1
  }
}

/** Returns the mode of this async context. Costs one comparison while nobody skips anything. */
export function currentSkip(): SkipMode | undefined {
  return running === 0 ? undefined : modes.getStore()
}
