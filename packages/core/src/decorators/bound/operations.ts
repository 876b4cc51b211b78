/** The decorators of methods as data: metadata of the class, where `describeClass` and `cached` find it. */

import 'reflect-metadata'
import { shared } from '../../lifecycle/shared-state.ts'
import type { AnyMethodEntries } from '../reading/entry-handle.ts'
import { type AnyClass, type MethodSite, metadataOf } from './method-site.ts'

/** One decorator on one method. */
export interface Operation {
  readonly kind: 'cacheable' | 'cache-put' | 'cache-evict' | (string & {})
  /** The options as given. */
  readonly options: object
  /** How to reach the entries behind the method; for `@Cacheable`. */
  readonly entries?: ((self: unknown) => AnyMethodEntries) | undefined
}

/** An operation and the method it stands on. */
export interface Decoration {
  readonly site: MethodSite
  readonly operation: Operation
}

const DECORATIONS = Symbol.for('larder.decorations')

/** Adds an operation to those of a method's class. */
export function noteOperation(site: MethodSite, operation: Operation): void {
  // Decorators run from the method outwards, and the outermost must come first.
  Reflect.defineMetadata(
    DECORATIONS,
    [{ site, operation }, ...decorationsHeldBy(site.holder)],
    site.holder,
  )
}

/** Remembers the method behind a function that a decorator made. */
export function noteMethod(method: object, site: MethodSite): void {
  shared.sites.set(method, site)
}

/** Returns the method behind a function, if a decorator made it. */
export function siteOf(method: object): MethodSite | undefined {
  return shared.sites.get(method) as MethodSite | undefined
}

/** Returns the operations on methods that this very class defines, the outermost of each method first. */
export function decorationsOf(owner: AnyClass): readonly Decoration[] {
  const holders = [owner.prototype as object, owner, metadataOf(owner)]
  return holders.flatMap((holder) => (holder === undefined ? [] : decorationsHeldBy(holder)))
}

/** Returns the operations noted on one holder; see `SitePlace.holder`. */
export function decorationsHeldBy(holder: object): readonly Decoration[] {
  const found: unknown = Reflect.getOwnMetadata(DECORATIONS, holder)
  return Array.isArray(found) ? found : []
}

/** Keeps what other decorators noted on the method itself. */
export function copyMetadata(from: object, to: object): void {
  for (const key of Reflect.getOwnMetadataKeys(from)) {
    if (Reflect.hasOwnMetadata(key, to)) continue
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, from), to)
  }
}
