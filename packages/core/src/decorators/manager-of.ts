/** Finds the manager a decorated method belongs to, for decorators that need more of it than a cache. */

import { ClosedError } from '../errors/closed-error.ts'
import { NotConfiguredError } from '../errors/not-configured-error.ts'
import { classConfigOf } from './cache-config.ts'
import { defaultManager } from './default-manager.ts'
import type { MethodCacheProvider } from './method-cache.ts'
import type { MethodSite } from './method-site.ts'

/**
 * Makes a finder for one method: asks the class's `manager` if it has one, else the default manager, at every call.
 *
 * The finder throws NotConfiguredError without a manager, and ClosedError after it was closed.
 */
export function managerFinder(site: MethodSite): (self: unknown) => MethodCacheProvider {
  let find: (() => MethodCacheProvider | undefined) | undefined
  let last: MethodCacheProvider | undefined
  return (self) => {
    find ??= classConfigOf(site.owner(self)).manager ?? defaultManager
    const manager = find()
    if (manager === undefined) {
      throw last?.isClosed === true
        ? new ClosedError(undefined, site.label)
        : new NotConfiguredError(site.label)
    }
    if (manager.isClosed) throw new ClosedError(undefined, site.label)
    last = manager
    return manager
  }
}
