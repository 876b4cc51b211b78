/**
 * Two methods that load entries of one cache, under keys that can be equal, return each other's results: `find('1')` a user,
 * `permissions('1')` a list of rights, whichever ran first. That is wanted where both load the same entity, and must then be
 * declared: `shares: 'find'`. One method for single entries and one with `each` are assumed to load the same entity.
 */

import { InvalidOptionError } from '../../errors/option-error.ts'
import type { MethodSite } from './method-site.ts'
import type { Decoration } from './operations.ts'

/** A method that loads entries, by its options. */
interface LoadingMethod {
  readonly site: MethodSite
  readonly cache: string
  readonly key: unknown
  readonly isEach: boolean
  readonly shares: readonly (string | symbol)[]
}

/** @throws InvalidOptionError about the second of two methods of a class that load different entities under the same keys */
export function assertOneEntity(
  decorations: readonly Decoration[],
  config: { readonly cache?: string | undefined },
  className: string,
): void {
  const loaders = decorations.flatMap((decoration) => loaderOf(decoration, config) ?? [])
  for (const [index, loader] of loaders.entries()) {
    const other = loaders.slice(0, index).find((earlier) => areMixed(earlier, loader))
    if (other !== undefined) throw mixed(other, loader, className)
  }
}

function loaderOf(
  { site, operation }: Decoration,
  config: { readonly cache?: string | undefined },
): LoadingMethod | undefined {
  if (operation.kind !== 'cacheable') return undefined
  const options = operation.options as {
    readonly cache?: string
    readonly key?: unknown
    readonly each?: { readonly key: unknown }
    readonly shares?: string | symbol | readonly (string | symbol)[]
  }
  const cache = options.cache ?? config.cache
  if (cache === undefined) return undefined
  const { each, shares = [] } = options
  return {
    site,
    cache,
    key: each === undefined ? options.key : each.key,
    isEach: each !== undefined,
    shares: [shares].flat(),
  }
}

function areMixed(one: LoadingMethod, other: LoadingMethod): boolean {
  if (one.cache !== other.cache || one.isEach !== other.isEach) return false
  // An override, and several decorators on one method, are about the same thing.
  const { name, isStatic, isPrivate } = other.site
  const isSameMethod =
    one.site.name === name && one.site.isStatic === isStatic && one.site.isPrivate === isPrivate
  if (isSameMethod || !canMeet(one.key, other.key)) return false
  return !one.shares.includes(name) && !other.shares.includes(one.site.name)
}

/** Default keys never equal others. A key that begins with another word was written with the other method in mind. */
function canMeet(one: unknown, other: unknown): boolean {
  return one !== undefined && other !== undefined && beginningOf(one) === beginningOf(other)
}

const OF_TEMPLATE = /^(?:[^{}]|\{\{|\}\})*/
/** The first text in what a key function returns: `order ${id}`, 'order ' + id, ['order', id], "order ".concat(id). */
const OF_FUNCTION = /(?:=>|\breturn\b)[\s(]*\[?\s*(["'`])((?:(?!\1|\$\{)[^\\])+)/

function beginningOf(key: unknown): string {
  if (typeof key === 'string') return OF_TEMPLATE.exec(key)?.[0] ?? ''
  return OF_FUNCTION.exec(Function.prototype.toString.call(key))?.[2] ?? ''
}

function mixed(one: LoadingMethod, other: LoadingMethod, className: string): InvalidOptionError {
  const [first, second] = [one.site.methodName, other.site.methodName]
  return new InvalidOptionError({
    option: `@Cacheable(${className}.${second}).cache`,
    expected:
      `a cache of its own, a key that begins with its own word such as '${second}:{0}', or shares: '${first}' if both load the same entity, ` +
      `because ${first} keeps its results under keys that can be the same`,
    received: other.cache,
  })
}
