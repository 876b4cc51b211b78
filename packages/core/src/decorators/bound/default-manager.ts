/**
 * The manager that decorated methods use when their class names none: of the open managers, the one made last.
 *
 * When it is closed, the one made before it is used again. So a library or a test that makes a second default manager and closes
 * it leaves the application with its own.
 */

import { shared, warnOnce } from '../../lifecycle/shared-state.ts'
import type { MethodCacheProvider } from './method-cache.ts'

/** So many replaced managers are remembered: an application that never closes managers must not keep all of them in memory. */
const MOST_EARLIER = 16

/** Makes a manager the default one. Replacing one that is open is warned about once. */
export function setDefaultManager(manager: MethodCacheProvider): void {
  const { defaultManager: before, earlierManagers: earlier } = shared
  shared.defaultManager = manager
  if (before === undefined || before === manager || before.isClosed) return
  earlier.push(before)
  // The first one is most likely the application's own.
  if (earlier.length > MOST_EARLIER) earlier.splice(1, 1)
  warnOnce(
    'LARDER_SECOND_MANAGER',
    '',
    `A second default cache manager (${nameOf(manager)}) was created while the first (${nameOf(before)}) is open: decorated ` +
      'methods use the second one until it is closed. Close the first, or create one of them with default: false and name it in ' +
      '@CacheConfig({ manager }). If its module was only loaded twice (hot reload, vi.resetModules), close the old one there.',
  )
}

/** Forgets a manager that was closed; if it was the default, the one made last of those still open is used again. */
export function forgetDefaultManager(manager: MethodCacheProvider): void {
  const earlier = shared.earlierManagers
  const at = earlier.indexOf(manager)
  if (at >= 0) earlier.splice(at, 1)
  if (shared.defaultManager === manager) shared.defaultManager = earlier.pop()
}

/** Returns the default manager, if there is one. */
export function defaultManager(): MethodCacheProvider | undefined {
  // Nothing else is ever set here.
  return shared.defaultManager as MethodCacheProvider | undefined
}

function nameOf(manager: object): string {
  const { namespace } = manager as { readonly namespace?: unknown }
  return typeof namespace === 'string' ? `namespace ${namespace}` : 'without a namespace'
}
