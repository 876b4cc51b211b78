/** The manager that decorated methods use when their class names none. */

import type { MethodCacheProvider } from './method-cache.ts'

let current: MethodCacheProvider | undefined

/** Makes a manager the default one; the last one made wins. */
export function setDefaultManager(manager: MethodCacheProvider): void {
  current = manager
}

/** Forgets a manager that was closed, if it is still the default one. */
export function forgetDefaultManager(manager: MethodCacheProvider): void {
  if (current === manager) current = undefined
}

/** Returns the default manager, if there is one. */
export function defaultManager(): MethodCacheProvider | undefined {
  return current
}
