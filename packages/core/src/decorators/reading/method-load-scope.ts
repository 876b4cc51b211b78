/**
 * Notices a method that, while it loads a key, asks for the same key again: `find` on top of `super.find`, or `findMany`
 * on top of `find` in one named cache. The inner call would wait forever for the load that it is part of; instead it must run
 * its method.
 *
 * A call is known to be part of a load while the loading method runs up to its first `await`, which is where such calls
 * are made. An async context would also see later ones, but on Node 20 and 22 it would make every await in the process
 * several times slower.
 */

import type { LoadContext } from '../../cache/read-call.ts'
import { shared } from '../../lifecycle/shared-state.ts'
import type { MethodCacheProvider } from '../bound/method-cache.ts'

/** Keys being loaded by a method that is running, and what that load is part of. */
export interface MethodLoadScope {
  readonly provider: MethodCacheProvider | undefined
  readonly fullKeys: readonly string[]
  readonly context: LoadContext
  readonly outer: MethodLoadScope | undefined
}

/**
 * Returns the signal of the load that the running code is part of; it aborts when the load is given up (`loadTimeout`) or
 * the manager closes. Call it at the beginning of a `@Cacheable` method, before its first `await`.
 *
 * @example
 * async find(id: string): Promise<Product | undefined> {
 *   const signal = loadSignal()
 *   const response = await fetch(`https://api.example.com/products/${id}`, { signal: signal ?? null })
 * }
 */
export function loadSignal(): AbortSignal | undefined {
  return currentScope()?.context.signal
}

/** Returns the load that the running code is part of. Called when a method is called, before the engine takes over. */
export function currentScope(): MethodLoadScope | undefined {
  return shared.loadScope as MethodLoadScope | undefined
}

/** True when one of the keys is being loaded by `scope` or by a load around it. */
export function isLoading(
  scope: MethodLoadScope | undefined,
  provider: MethodCacheProvider | undefined,
  fullKeys: readonly string[],
): boolean {
  for (let at = scope; at !== undefined; at = at.outer) {
    const { provider: loader, fullKeys: loading } = at
    if (loader === provider && fullKeys.some((key) => loading.includes(key))) return true
  }
  return false
}

/** Runs a method as the load of some keys. */
export function runLoad<Result>(scope: MethodLoadScope, run: () => Result): Result {
  const before = shared.loadScope
  shared.loadScope = scope
  try {
    return run()
  } finally {
    shared.loadScope = before
  }
}
