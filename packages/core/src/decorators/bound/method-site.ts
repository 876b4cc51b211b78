/**
 * The place of a decorated method: its name, and the class that defines it.
 *
 * Calls belong to the class they are made on (see receiver.ts); the defining class distinguishes an override from the method that
 * it reaches through `super`. Legacy decorators get the class. Standard ones do not, but all of one class get the same metadata
 * object, and the class has it under `Symbol.metadata` once it is complete: so the class is found from the first object that is
 * made or the first `this` of a call. Looking for the function itself would fail for private methods, and where another
 * decorator has wrapped the function.
 */

import { createHash } from 'node:crypto'
import { InvalidOptionError } from '../../errors/option-error.ts'
import type { Evaluation } from './evaluation.ts'

/** Any class, abstract ones included. */
export type AnyClass = abstract new (...args: never) => unknown

/** What identifies a method before its class exists. */
export interface SitePlace {
  readonly name: string | symbol
  readonly isStatic: boolean
  readonly isPrivate: boolean
  /** Represents the class: its prototype or itself (legacy), or its metadata object (standard). */
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
  /** When and where the decorator ran. */
  readonly evaluation: Evaluation | undefined
  #owner: AnyClass | undefined

  constructor(place: SitePlace, owner?: AnyClass, evaluation?: Evaluation) {
    this.name = place.name
    this.isStatic = place.isStatic
    this.isPrivate = place.isPrivate
    this.holder = place.holder
    this.evaluation = evaluation
    this.#owner = owner
  }

  /** `Products.find`, `Products.static.shared`, `Products.#check`; without the class while that is unknown. */
  get label(): string {
    return this.#owner === undefined ? this.methodName : this.labelIn(this.#owner)
  }

  /** The method's name as text. */
  get methodName(): string {
    return typeof this.name === 'symbol' ? `[${this.name.description ?? ''}]` : this.name
  }

  /** The class that defines the method, once it is known. */
  get definer(): AnyClass | undefined {
    return this.#owner
  }

  /** The label as a method of `owner`. */
  labelIn(owner: AnyClass): string {
    return `${nameOf(owner)}.${this.isStatic ? 'static.' : ''}${this.methodName}`
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

  /** Sets the class, once it is known from elsewhere. */
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

/** Makes a label usable as the name of a cache; a changed label gets a digest, so that it stays unique. */
export function cacheNameOf(label: string): string {
  const fit = label.replace(UNFIT_FOR_CACHE_NAME, '_')
  if (fit === label && fit.length <= MAX_CACHE_NAME) return fit
  const digest = createHash('sha256').update(label).digest('hex').slice(0, 12)
  return `${fit.slice(0, MAX_CACHE_NAME - 1 - digest.length)}-${digest}`
}

/**
 * Lists the classes of an object (or a class and those it extends), the most derived first, without `Object`.
 *
 * Only a prototype and a class that refer to each other count: an object may have a property `constructor`, and a proxy
 * of a class is the class.
 */
export function classesOf(self: unknown, isStatic: boolean): readonly AnyClass[] {
  const classes: AnyClass[] = []
  if (self === null || self === undefined) return classes
  const start: unknown = isStatic ? self : Object.getPrototypeOf(self)
  for (let at = start; isObject(at) && at !== Function.prototype; at = Object.getPrototypeOf(at)) {
    const owner = classOf(isStatic ? (at as { prototype?: unknown }).prototype : at)
    if (owner !== undefined && owner !== Object) classes.push(owner)
  }
  return classes
}

/** Returns the class whose prototype this is. */
function classOf(prototype: unknown): AnyClass | undefined {
  if (!isObject(prototype)) return undefined
  const owner: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  const isHonest = typeof owner === 'function' && owner.prototype === prototype
  return isHonest ? (owner as AnyClass) : undefined
}

/** A class's name, or an empty text: a class may redefine it as anything. */
export function nameOf({ name }: { readonly name: unknown }): string {
  return typeof name === 'string' ? name : ''
}

/** Returns the metadata object that standard decorators of this very class were given. */
export function metadataOf(owner: AnyClass): object | undefined {
  const found: unknown = Object.getOwnPropertyDescriptor(owner, Symbol.metadata)?.value
  return isObject(found) ? found : undefined
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
