/**
 * Where a decorated method stands: its name, and the class that defines it.
 *
 * The class is part of default names and keys, so it has to be the defining one, not that of the object the method is
 * called on. Legacy decorators are told it. Standard ones are not, but all of one class get the same metadata object, and
 * the class holds it under `Symbol.metadata` once it is complete: that is how the class is found, from the first object
 * made or the first `this` called with. Looking for the function itself would fail for private methods, and wherever
 * another decorator put its own function on top.
 */

import { createHash } from 'node:crypto'
import { InvalidOptionError } from '../errors/option-error.ts'

/** Any class, abstract ones included. */
export type AnyClass = abstract new (...args: never) => unknown

/** What identifies a method before its class exists. */
export interface SitePlace {
  readonly name: string | symbol
  readonly isStatic: boolean
  readonly isPrivate: boolean
  /** Stands for the class: its prototype or itself (legacy), or its metadata object (standard). */
  readonly holder: object
}

const MAX_CACHE_NAME = 64
const UNFIT_FOR_CACHE_NAME = /[^A-Za-z0-9_.-]/g

/** One decorated method of one class. */
export class MethodSite implements SitePlace {
  readonly name: string | symbol
  readonly isStatic: boolean
  readonly isPrivate: boolean
  readonly holder: object
  #owner: AnyClass | undefined

  constructor(place: SitePlace, owner?: AnyClass) {
    this.name = place.name
    this.isStatic = place.isStatic
    this.isPrivate = place.isPrivate
    this.holder = place.holder
    this.#owner = owner
  }

  /** `Products.find`, `Products.static.shared`, `Products.#check`; without the class while that is unknown. */
  get label(): string {
    const name = typeof this.name === 'symbol' ? `[${this.name.description ?? ''}]` : this.name
    if (this.#owner === undefined) return name
    // A class may redefine its name, as anything.
    const { name: className }: { readonly name: unknown } = this.#owner
    return `${typeof className === 'string' ? className : ''}.${this.isStatic ? 'static.' : ''}${name}`
  }

  /**
   * Returns the class that defines the method, found through the `this` of a call unless it is known.
   *
   * @throws InvalidOptionError when the method was taken off its object before the class was known.
   */
  owner(self: unknown): AnyClass {
    this.learn(self)
    if (this.#owner !== undefined) return this.#owner
    throw new InvalidOptionError({
      option: `this of ${this.label}`,
      expected: 'an object of the class that defines the method',
      received: self,
    })
  }

  /** Looks for the class, once an object of it is at hand. */
  learn(self: unknown): void {
    this.#owner ??= this.#find(self)
  }

  /** Says what the class is, once it is known from elsewhere. */
  belongsTo(owner: AnyClass): void {
    this.#owner ??= owner
  }

  /** True for another decorator on the same method of the same class. */
  isSame(other: MethodSite): boolean {
    return (
      this.holder === other.holder &&
      this.name === other.name &&
      this.isStatic === other.isStatic &&
      this.isPrivate === other.isPrivate
    )
  }

  #find(self: unknown): AnyClass | undefined {
    if (self === null || self === undefined) return undefined
    for (const owner of classesOf(self, this.isStatic)) {
      if (metadataOf(owner) === this.holder) return owner
    }
    return undefined
  }
}

/** Makes a label fit for the name of a cache; what had to be changed is told apart by a digest. */
export function cacheNameOf(label: string): string {
  const fit = label.replace(UNFIT_FOR_CACHE_NAME, '_')
  if (fit === label && fit.length <= MAX_CACHE_NAME) return fit
  const digest = createHash('sha256').update(label).digest('hex').slice(0, 12)
  return `${fit.slice(0, MAX_CACHE_NAME - 1 - digest.length)}-${digest}`
}

/** Lists the classes of an object (or a class and those it extends), the most derived first. */
export function classesOf(self: unknown, isStatic: boolean): readonly AnyClass[] {
  const classes: AnyClass[] = []
  const start: unknown = isStatic ? self : Object.getPrototypeOf(self)
  for (let at = start; isObject(at) && at !== Function.prototype; at = Object.getPrototypeOf(at)) {
    const owner: unknown = isStatic ? at : Object.getOwnPropertyDescriptor(at, 'constructor')?.value
    if (typeof owner === 'function') classes.push(owner as AnyClass)
  }
  return classes
}

/** Returns the metadata object that standard decorators of this very class were given. */
export function metadataOf(owner: AnyClass): object | undefined {
  const found: unknown = Object.getOwnPropertyDescriptor(owner, Symbol.metadata)?.value
  return isObject(found) ? found : undefined
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
