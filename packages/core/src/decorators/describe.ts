/** `describe(Class)`: what is decorated, and how; for dashboards and frameworks. */

import { type ClassConfig, classConfigOf } from './cache-config.ts'
import { type Operation, operationsOf } from './operations.ts'

/** One decorated method. */
export interface DescribedMethod {
  readonly name: string | symbol
  readonly isStatic: boolean
  /** Outermost first. */
  readonly operations: readonly Pick<Operation, 'kind' | 'options'>[]
}

export interface ClassDescription {
  readonly className: string
  readonly config: ClassConfig
  readonly methods: readonly DescribedMethod[]
}

/**
 * Lists a class's decorated methods, inherited ones included. Private (`#`) methods cannot be seen from outside.
 *
 * @example describe(ProductService).methods.map(({ name }) => name)
 */
// biome-ignore lint/suspicious/noExplicitAny: a constructor's parameters are irrelevant here and contravariant.
export function describe(owner: abstract new (...args: any[]) => unknown): ClassDescription {
  return {
    className: owner.name,
    config: classConfigOf(owner),
    methods: [
      ...methodsOf(owner.prototype as object, Object.prototype, false),
      ...methodsOf(owner, Function.prototype, true),
    ],
  }
}

function methodsOf(from: object, end: object, isStatic: boolean): readonly DescribedMethod[] {
  const found = new Map<string | symbol, DescribedMethod>()
  for (
    let at: object | null = from;
    at !== null && at !== end;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    for (const name of Reflect.ownKeys(at)) {
      const method = Object.getOwnPropertyDescriptor(at, name)?.value as unknown
      if (found.has(name) || typeof method !== 'function') continue
      const operations = operationsOf(method).map(({ kind, options }) => ({ kind, options }))
      // An override hides the inherited method even when it is not decorated.
      found.set(name, { name, isStatic, operations })
    }
  }
  return [...found.values()].filter(({ operations }) => operations.length > 0)
}
