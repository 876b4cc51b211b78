/** `skipCache`: run something past the cache, by async context. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { assertFunction, assertOneOf } from '../options/assert-option.ts'
import { shared } from './shared-state.ts'

/**
 * `skip`: call `@Cacheable` methods as if they were not cached. `refresh`: load anew and cache the result. `localOnly`:
 * leave the shared tier out.
 */
export type SkipMode = 'skip' | 'refresh' | 'localOnly'

/** One call of `skipCache`. */
interface SkipScope {
  readonly mode: SkipMode
  isOver: boolean
}

const { skip } = shared

/**
 * Runs `work`; `@Cacheable` methods called in it, at any depth, follow `mode`, until the promise of `work` settles.
 *
 * Only reads are affected: `@CachePut` and `@CacheEvict` keep their promise, or skipping would leave old values behind.
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
  const scope: SkipScope = { mode, isOver: false }
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

/** Returns the mode of this async context. Costs one comparison while nobody skips anything. */
export function currentSkip(): SkipMode | undefined {
  if (skip.running === 0) return undefined
  const scope = skip.scopes?.getStore() as SkipScope | undefined
  return scope === undefined || scope.isOver ? undefined : scope.mode
}
