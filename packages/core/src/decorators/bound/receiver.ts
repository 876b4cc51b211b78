/**
 * The receiver of a call of a decorated method: the class on which it is called, which may differ from the class that defines it.
 *
 * A base repository defines `find` once, and `UserRepo` and `InvoiceRepo` inherit it: their rows have nothing in common,
 * so their entries must not either. Names, default keys and `@CacheConfig` options therefore come from the receiver's class.
 *
 * Objects between a caller and a class that are not one of the user's own classes are skipped: a proxy, an object made
 * from another one, a subclass without a name of its own (dependency injection and mocks make these).
 */

import { type ClassConfig, classConfigOf } from '../cache-config.ts'
import { type AnyClass, classesOf, type MethodSite, nameOf } from './method-site.ts'

/** The class that a call belongs to. */
export interface Receiver {
  /** All its classes, the most derived first. */
  readonly classes: readonly AnyClass[]
  /** The class whose name it uses: the first with a name of its own. */
  readonly named: AnyClass
  /** `named`, or one below it that has members but no name of its own. */
  readonly identity: AnyClass
  /** `UserRepo.find`; `UserRepo.find^BaseRepo` for a method that an override reaches through `super`. */
  readonly label: string
  /** Its `@CacheConfig` options. */
  readonly config: ClassConfig
}

/**
 * Returns the receiver of a call on `self`. `shares`: the method's entries belong to the class that defines it.
 *
 * @throws InvalidOptionError when neither `self` nor the method tells the class.
 */
export function receiverOf(site: MethodSite, self: unknown, shares?: boolean): Receiver {
  site.learn(self)
  const found = classesOf(self, site.isStatic)
  const classes = found.length > 0 ? found : classesFrom(site.owner(self))
  const [actual = site.owner(self)] = classes
  const config = classConfigOf(actual)
  const isShared = shares ?? config.shareWithSubclasses ?? false
  const definer = site.definer ?? actual
  if (isShared) {
    return { classes, named: definer, identity: definer, label: site.labelIn(definer), config }
  }
  const own = upTo(classes, site.definer)
  const at = Math.max(
    0,
    own.findIndex((one, i) => hasOwnName(one, own[i + 1])),
  )
  const isNameless = at === 0 && !hasOwnName(own[0] ?? actual, own[1])
  const named = isNameless ? (own.at(-1) ?? actual) : (own[at] ?? actual)
  const identity = own.slice(0, own.indexOf(named)).find((one) => !isBare(one)) ?? named
  const isInherited = isReachedThroughSuper(site, own.slice(own.indexOf(named)))
  const label = site.labelIn(named) + (isInherited ? `^${nameOf(definer)}` : '')
  return { classes, named, identity, label, config }
}

/** True when two calls belong to the same class, as far as names tell. */
export function isSameReceiver(one: Receiver, other: Receiver): boolean {
  if (one.named !== other.named) return false
  const isUsual = one.identity === one.named || other.identity === other.named
  return isUsual || one.identity === other.identity
}

function classesFrom(owner: AnyClass): readonly AnyClass[] {
  return classesOf(owner, true)
}

/** The classes from the receiver's to the one that defines the method, both included. */
function upTo(classes: readonly AnyClass[], definer: AnyClass | undefined): readonly AnyClass[] {
  const end = definer === undefined ? -1 : classes.indexOf(definer)
  return end === -1 ? classes : classes.slice(0, end + 1)
}

function hasOwnName(one: AnyClass, parent: AnyClass | undefined): boolean {
  const name = nameOf(one)
  return name !== '' && (parent === undefined || name !== nameOf(parent))
}

/** True when a class between the receiver and the definer has a method of this name: then only `super` leads here. */
function isReachedThroughSuper(site: MethodSite, classes: readonly AnyClass[]): boolean {
  const { definer } = site
  if (definer === undefined || classes.at(-1) !== definer) return false
  // Private names cannot be looked up. Two with one name in one hierarchy are two methods.
  if (site.isPrivate) return classes.length > 1
  return classes
    .slice(0, -1)
    .some((at) => Object.hasOwn(site.isStatic ? at : (at.prototype as object), site.name))
}

const EMPTY_CLASS = /^class\b[^{]*\{\s*\}$/
const USUAL_STATICS = new Set<string | symbol>(['length', 'name', 'prototype', Symbol.metadata])

/** True for a class that adds nothing to the class it extends, so that it cannot load anything else. */
function isBare(one: AnyClass): boolean {
  return (
    Reflect.ownKeys(one.prototype as object).length === 1 &&
    Reflect.ownKeys(one).every((key) => USUAL_STATICS.has(key)) &&
    EMPTY_CLASS.test(Function.prototype.toString.call(one))
  )
}
