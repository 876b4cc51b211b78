/** `cached(instance, 'method')`: the entries behind a `@Cacheable` method. */

import { InvalidOptionError } from '../errors/option-error.ts'
import type { MethodEntries } from './entry-handle.ts'
import { classesOf } from './method-site.ts'
import { decorationsOf, type Operation } from './operations.ts'

type MakeHandle = NonNullable<Operation['entries']>

/** Names of the methods that return promises. */
export type AsyncMethodName<Target> = {
  [Name in keyof Target]: Target[Name] extends (...args: never) => Promise<unknown> ? Name : never
}[keyof Target]

/**
 * Returns the entries behind a `@Cacheable` method of an instance, or of a class for a static one.
 *
 * @throws InvalidOptionError when the method is not decorated with `@Cacheable`.
 * @example await cached(products, 'find').evict('42')
 */
export function cached<Target extends object, Name extends AsyncMethodName<Target>>(
  target: Target,
  name: Name,
): Target[Name] extends (...args: infer Args) => Promise<infer Result>
  ? MethodEntries<Args, Result>
  : never {
  const [outermost, ...others] = cacheablesOf(target, name as string | symbol)
  if (outermost === undefined) {
    throw new InvalidOptionError({
      option: `cached(${String(name)})`,
      expected: 'the name of a method decorated with @Cacheable',
      received: name,
    })
  }
  const inner = others.map((entries) => entries(target))
  const handle = outermost(target)
  // An eviction means all that is cached of the method: what the outer one forgot, it would only be given by the inner one.
  const evict = async (...args: readonly unknown[]): Promise<void> => {
    await Promise.all([handle, ...inner].map((entries) => entries.evict(...args)))
  }
  return (inner.length === 0 ? handle : { ...handle, evict }) as never
}

/** Finds every `@Cacheable` of a method, the outermost first, in the class that defines the method for this target. */
function cacheablesOf(target: object, name: string | symbol): readonly MakeHandle[] {
  const isStatic = typeof target === 'function'
  const owner = classesOf(target, isStatic).find((at) => {
    return Object.hasOwn(isStatic ? at : (at.prototype as object), name)
  })
  if (owner === undefined) return []
  return decorationsOf(owner).flatMap(({ site, operation }) => {
    const isIt = site.name === name && site.isStatic === isStatic && !site.isPrivate
    return isIt && operation.entries !== undefined ? [operation.entries] : []
  })
}
