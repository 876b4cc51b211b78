/**
 * What makes `instanceof` work across copies of this package.
 *
 * Two copies meet in one process more often than one thinks: the ES and the CommonJS build, two versions in node_modules, a
 * module that a development server evaluates again. An error that one copy throws is caught by code that has its class from
 * another, and so is an error that crosses from a store package to the core. So a class here asks for a mark that all copies
 * put on their prototypes, not for its own prototype.
 */

const FAMILY = Symbol.for('@larder/core:error')

/** Marks the prototype of a class of errors, by the name that its errors have. For a static block of the class. */
export function markFamily(errorClass: { readonly prototype: Error }): void {
  const { prototype } = errorClass
  Object.defineProperty(prototype, FAMILY, { value: prototype.name })
}

/** Makes `instanceof` of a class, and of all that extend it, take errors of other copies. For the class at the root. */
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
  // What users derive from our classes has no mark of its own, and is only what it is.
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
