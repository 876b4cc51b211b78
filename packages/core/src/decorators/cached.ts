/** `cached(instance, 'method')`: the entries behind a `@Cacheable` method. */

import { InvalidOptionError } from '../errors/option-error.ts'
import type { MethodEntries } from './entry-handle.ts'
import { classesOf } from './method-site.ts'
import { decorationsOf, type Operation } from './operations.ts'

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
  const entries = cacheableOf(target, name as string | symbol)?.entries
  if (entries === undefined) {
    throw new InvalidOptionError({
      option: `cached(${String(name)})`,
      expected: 'the name of a method decorated with @Cacheable',
      received: name,
    })
  }
  return entries(target) as never
}

/** Finds the outermost `@Cacheable` of a method, in the class that defines the method for this target. */
function cacheableOf(target: object, name: string | symbol): Operation | undefined {
  const isStatic = typeof target === 'function'
  const owner = classesOf(target, isStatic).find((at) => {
    return Object.hasOwn(isStatic ? at : (at.prototype as object), name)
  })
  if (owner === undefined) return undefined
  const found = decorationsOf(owner).find(({ site, operation }) => {
    const isIt = site.name === name && site.isStatic === isStatic && !site.isPrivate
    return isIt && operation.entries !== undefined
  })
  return found?.operation
}
