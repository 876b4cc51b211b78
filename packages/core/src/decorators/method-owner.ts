/**
 * Which class a decorated method belongs to, and what `@CacheConfig` says about that class.
 *
 * The class is part of default names and keys. Legacy decorators are told it; standard ones are not, so it is found at
 * the first call: the object in the prototype chain of `this` that owns this very method. An instance of a subclass that
 * overrides the method and calls `super` has two owners of that name, hence the comparison.
 */

import { type ClassConfig, classConfigOf } from './cache-config.ts'
import type { AnyMethod, MethodSite } from './method-decorator.ts'
import { operationsOf } from './operations.ts'

export interface MethodOwner {
  readonly className: string
  readonly methodName: string
  readonly config: ClassConfig
}

/** Finds the owner of a wrapped method from a `this` it was called with. */
export function findOwner(site: MethodSite, wrapped: AnyMethod, self: unknown): MethodOwner {
  const home = site.home ?? homeOf(site, wrapped, self)
  const owner: unknown = site.isStatic
    ? home
    : (home as { constructor?: unknown } | undefined)?.constructor
  const className = typeof owner === 'function' && owner.name !== '' ? owner.name : 'anonymous'
  return {
    className,
    methodName: methodName(site.name),
    config: typeof owner === 'function' ? classConfigOf(owner) : {},
  }
}

/** A method's name as part of a cache name: symbols by description, without what names may not hold. */
export function methodName(name: string | symbol): string {
  const text = typeof name === 'symbol' ? (name.description ?? 'symbol') : name
  return text.replace(/[^A-Za-z0-9_.-]/g, '_')
}

function homeOf(site: MethodSite, wrapped: AnyMethod, self: unknown): object | undefined {
  let last: object | undefined
  for (
    let at = startOf(site, self);
    at !== null && at !== undefined;
    at = Object.getPrototypeOf(at)
  ) {
    const own = Object.getOwnPropertyDescriptor(at, site.name)?.value as unknown
    if (typeof own !== 'function') continue
    if (own === wrapped || sharesOperations(own, wrapped)) return at
    last = at
  }
  if (site.isPrivate || last === undefined) return startOf(site, self) ?? undefined
  // Another decorator put its own function over ours: the most basic owner is the likeliest.
  return last
}

function startOf(site: MethodSite, self: unknown): object | null | undefined {
  if (self === null || self === undefined) return undefined
  return site.isStatic ? (self as object) : (Object.getPrototypeOf(self) as object | null)
}

/** True when one of our own decorators wraps another: the outer one lists the inner one's operations after its own. */
function sharesOperations(outer: object, inner: object): boolean {
  const [operation] = operationsOf(inner)
  return operation !== undefined && operationsOf(outer).includes(operation)
}
