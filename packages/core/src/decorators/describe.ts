/** `describe(Class)`: what is decorated, and how; for dashboards and frameworks. */

import { type ClassConfig, classConfigOf } from './cache-config.ts'
import { type AnyClass, classesOf } from './method-site.ts'
import { decorationsOf, type Operation } from './operations.ts'

/** One decorated method. */
export interface DescribedMethod {
  readonly name: string | symbol
  /** `Class.method` with the defining class, as in statistics and messages. */
  readonly label: string
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
 * @example describe(ProductService).methods.map(({ name }) => name)
 */
export function describe(owner: AnyClass): ClassDescription {
  const classes = classesOf(owner, true)
  const methods = classes.flatMap((at, index) => {
    const derived = classes.slice(0, index)
    return methodsOf(at).filter((method) => !isOverridden(method, derived))
  })
  return { className: owner.name, config: classConfigOf(owner), methods }
}

function methodsOf(owner: AnyClass): readonly DescribedMethod[] {
  const methods: DescribedMethod[] = []
  const decorations = decorationsOf(owner)
  for (const { site } of decorations) {
    if (methods.some((known) => isSameName(known, site))) continue
    site.belongsTo(owner)
    const { name, label, isStatic, isPrivate } = site
    const operations = decorations
      .filter((other) => isSameName(other.site, site))
      .map(({ operation: { kind, options } }) => ({ kind, options }))
    methods.push({ name, label, isStatic, isPrivate, operations })
  }
  return methods
}

type Name = Pick<DescribedMethod, 'name' | 'isStatic' | 'isPrivate'>

function isSameName(one: Name, other: Name): boolean {
  return (
    one.name === other.name && one.isStatic === other.isStatic && one.isPrivate === other.isPrivate
  )
}

/** Private methods belong to their class alone, whatever a subclass calls its own. */
function isOverridden(method: Name, derived: readonly AnyClass[]): boolean {
  if (method.isPrivate) return false
  return derived.some((at) =>
    Object.hasOwn(method.isStatic ? at : (at.prototype as object), method.name),
  )
}
