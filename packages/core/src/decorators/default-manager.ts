/** The manager that decorated methods use when their class names none. */

import type { MethodCacheProvider } from './method-cache.ts'
import { shared, warnOnce } from './shared-state.ts'

/** Makes a manager the default one; the last one made wins, and taking over from one that is open is said once. */
export function setDefaultManager(manager: MethodCacheProvider): void {
  const before = shared.defaultManager
  shared.defaultManager = manager
  if (before === undefined || before === manager || before.isClosed) return
  warnOnce(
    'LARDER_SECOND_MANAGER',
    '',
    `A second default cache manager (${nameOf(manager)}) was created while the first (${nameOf(before)}) is open: decorated ` +
      'methods use the second one from now on. Close the first, or create one of them with default: false and name it in ' +
      '@CacheConfig({ manager }). If its module was only loaded twice (hot reload, vi.resetModules), close the old one there.',
  )
}

/** Forgets a manager that was closed, if it is still the default one. */
export function forgetDefaultManager(manager: MethodCacheProvider): void {
  if (shared.defaultManager === manager) shared.defaultManager = undefined
}

/** Returns the default manager, if there is one. */
export function defaultManager(): MethodCacheProvider | undefined {
  return shared.defaultManager
}

function nameOf(manager: object): string {
  const { namespace } = manager as { readonly namespace?: unknown }
  return typeof namespace === 'string' ? `namespace ${namespace}` : 'without a namespace'
}
