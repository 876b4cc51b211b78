/** `skipCache`: runs work without the cache, by async context. */

import { currentCallScope, runInScope, type SkipMode } from '../lifecycle/call-context.ts'
import { assertFunction, assertOneOf } from '../options/assert-option.ts'

/**
 * Runs `work`; `@Cacheable` methods that it calls, at any depth, follow `mode` until the promise of `work` settles.
 *
 * Only reads are affected: `@CachePut` and `@CacheEvict` work as usual, or skipping would leave old values behind.
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
  return runInScope({ mode, outer: currentCallScope(), isOver: false }, work)
}
