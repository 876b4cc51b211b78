/** `describeClass(Class)`: the decorated methods of a class; for dashboards and frameworks. */

import { assertFunction } from '../options/assert-option.ts'
import { type AnyClass, cacheNameOf, classesOf } from './bound/method-site.ts'
import { decorationsOf, type Operation } from './bound/operations.ts'
import { receiverOf } from './bound/receiver.ts'
import { type ClassConfig, classConfigOf } from './cache-config.ts'

/** One decorated method. */
export interface DescribedMethod {
  readonly name: string | symbol
  /** `Class.method` with the class asked about, as in statistics and messages. */
  readonly label: string
  /** The cache whose entries it works on; `undefined` where none is named, or none is needed. */
  readonly cache: string | undefined
  readonly isStatic: boolean
  readonly isPrivate: boolean
  /** Outermost first. */
  readonly operations: readonly Pick<Operation, 'kind' | 'options'>[]
}

export interface ClassDescription {
  readonly className: string
  readonly config: ClassConfig
  readonly methods: readonly DescribedMethod[]
}

/**
 * Lists a class's decorated methods, inherited ones included; an override hides what it overrides.
 *
 * @throws InvalidOptionError for what is no class
 * @example describeClass(ProductService).methods.map(({ name }) => name)
 */
export function describeClass(owner: AnyClass): ClassDescription {
  assertFunction(owner, 'describeClass.class')
  const classes = classesOf(owner, true)
  const methods = classes.flatMap((at, index) => {
    const derived = classes.slice(0, index)
    return methodsOf(at, owner).filter((method) => !isOverridden(method, derived))
  })
  return { className: owner.name, config: classConfigOf(owner), methods }
}

function methodsOf(owner: AnyClass, called: AnyClass): readonly DescribedMethod[] {
  const methods: DescribedMethod[] = []
  const decorations = decorationsOf(owner)
  for (const { site } of decorations) {
    if (methods.some((known) => isSameName(known, site))) continue
    site.belongsTo(owner)
    const { name, isStatic, isPrivate } = site
    const operations = decorations
      .filter((other) => isSameName(other.site, site))
      .map(({ operation: { kind, options } }) => ({ kind, options }))
    const self = isStatic ? called : Object.create(called.prototype as object)
    const isShared = operations.map(({ options }) => saysShared(options)).find(isGiven)
    const { label, config } = receiverOf(site, self, isShared)
    const named = operations.map(({ options }) => cacheOf(options)).find(isGiven) ?? config.cache
    const isOwn = operations.some(({ kind }) => kind === 'cacheable')
    const cache = named ?? (isOwn ? cacheNameOf(label) : undefined)
    methods.push({ name, label, cache, isStatic, isPrivate, operations })
  }
  return methods
}

function saysShared(options: object): boolean | undefined {
  return (options as { readonly shareWithSubclasses?: boolean }).shareWithSubclasses
}

function cacheOf(options: object): string | undefined {
  return (options as { readonly cache?: string }).cache
}

function isGiven<Value>(value: Value | undefined): value is Value {
  return value !== undefined
}

type Name = Pick<DescribedMethod, 'name' | 'isStatic' | 'isPrivate'>

function isSameName(one: Name, other: Name): boolean {
  return (
    one.name === other.name && one.isStatic === other.isStatic && one.isPrivate === other.isPrivate
  )
}

/** Private methods belong to their class alone, whatever names a subclass uses. */
function isOverridden(method: Name, derived: readonly AnyClass[]): boolean {
  if (method.isPrivate) return false
  return derived.some((at) =>
    Object.hasOwn(method.isStatic ? at : (at.prototype as object), method.name),
  )
}
