/** `cached(instance, 'method')`: the entries behind a `@Cacheable` method. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { classesOf, type MethodSite } from './bound/method-site.ts'
import { decorationsHeldBy, decorationsOf, type Operation, siteOf } from './bound/operations.ts'
import type { MethodEntries } from './reading/entry-handle.ts'

type MakeHandle = NonNullable<Operation['entries']>

/** Names of the methods that return promises. */
export type AsyncMethodName<Target> = {
  [Name in keyof Target]: Target[Name] extends (...args: never) => Promise<unknown> ? Name : never
}[keyof Target]

/** The entries behind a method, by its type. */
export type EntriesOf<Method> = Method extends (...args: infer Args) => Promise<infer Result>
  ? MethodEntries<Args, Result>
  : never

/**
 * Returns the entries behind a `@Cacheable` method of an instance, or of a class for a static one. Instead of its name, the
 * method itself may be given, which is necessary for private ones.
 *
 * @throws InvalidOptionError when the method is not decorated with `@Cacheable`.
 * @example await cached(products, 'find').evict('42')
 * @example await cached(this, this.#load).evict('42')
 */
export function cached<Args extends readonly unknown[], Result>(
  target: object,
  method: (...args: Args) => Promise<Result>,
): MethodEntries<Args, Result>
export function cached<Target extends object, Name extends AsyncMethodName<Target>>(
  target: Target,
  name: Name,
): EntriesOf<Target[Name]>
// For `this`, whose method names cannot be listed, but can be checked one by one.
export function cached<
  Target extends { readonly [Known in Name]: (...args: never) => Promise<unknown> },
  Name extends PropertyKey,
>(target: Target, name: Name): EntriesOf<Target[Name]>
export function cached(target: object, method: PropertyKey | object): unknown {
  const [outermost, ...others] =
    typeof method === 'function' ? behind(method) : cacheablesOf(target, method as string | symbol)
  if (outermost === undefined) {
    throw new InvalidOptionError({
      option: `cached(${typeof method === 'function' ? method.name : String(method)})`,
      expected: 'the name of a method decorated with @Cacheable, or the method itself',
      received: method,
    })
  }
  const inner = others.map((entries) => entries(target))
  const handle = outermost(target)
  // Evicts all that is cached for the method: an outer entry alone would be made again from the inner one.
  const evict = async (...args: readonly unknown[]): Promise<void> => {
    await Promise.all([handle, ...inner].map((entries) => entries.evict(...args)))
  }
  return inner.length === 0 ? handle : { ...handle, evict }
}

/** Finds every `@Cacheable` of a method, the outermost first, in the class that defines the method for this target. */
function cacheablesOf(target: object, name: string | symbol): readonly MakeHandle[] {
  const isStatic = typeof target === 'function'
  const owner = classesOf(target, isStatic).find((at) => {
    return Object.hasOwn(isStatic ? at : (at.prototype as object), name)
  })
  if (owner === undefined) return []
  return handlesOf(decorationsOf(owner), (site) => {
    return site.name === name && site.isStatic === isStatic && !site.isPrivate
  })
}

/** The same for a method that a decorator has made. */
function behind(method: object): readonly MakeHandle[] {
  const site = siteOf(method)
  if (site === undefined) return []
  return handlesOf(decorationsHeldBy(site.holder), (other) => other.isSame(site))
}

function handlesOf(
  decorations: ReturnType<typeof decorationsOf>,
  isIt: (site: MethodSite) => boolean,
): readonly MakeHandle[] {
  return decorations.flatMap(({ site, operation: { entries } }) => {
    return isIt(site) && entries !== undefined ? [entries] : []
  })
}
