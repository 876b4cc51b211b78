/**
 * Makes `instanceof` work across copies of this package.
 *
 * Two copies often meet in one process: the ES and the CommonJS build, two versions in node_modules, a module that a
 * development server evaluates again. Code of one copy catches errors that another copy throws, and errors cross from a
 * store package to the core. So `instanceof` of a class here looks for a mark that all copies put on their prototypes,
 * and not for the prototype itself.
 */

const FAMILY = Symbol.for('@larder/core:error')

/** Marks the prototype of a class of errors with the name that its errors have. For a static block of the class. */
export function markFamily(errorClass: { readonly prototype: Error }): void {
  const { prototype } = errorClass
  Object.defineProperty(prototype, FAMILY, { value: prototype.name })
}

/** Makes `instanceof` of a class, and of all classes that extend it, accept errors of other copies. For the root class. */
export function meetCopies(root: { readonly prototype: Error }): void {
  Object.defineProperty(root, Symbol.hasInstance, {
    value(this: { readonly prototype: object }, value: unknown) {
      return isOfFamily(this, value)
    },
  })
}

function isOfFamily(errorClass: { readonly prototype: object }, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { prototype } = errorClass
  // A class that users derive from ours has no mark of its own, and is matched by its prototype only.
  const family = Object.hasOwn(prototype, FAMILY) ? markOf(prototype) : undefined
  for (let at = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
    if (at === prototype) return true
    if (family !== undefined && Object.hasOwn(at, FAMILY) && markOf(at) === family) return true
  }
  return false
}

function markOf(prototype: object): unknown {
  return (prototype as { readonly [FAMILY]?: unknown })[FAMILY]
}
