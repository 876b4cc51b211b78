/**
 * Objects that belong to a manager: decorated methods called on them use that one, whichever is the default.
 *
 * All that a call finds out is kept by the prototype of its `this` (see receiver.ts). So a bound object gets a prototype between it
 * and its class, one for each manager and class. Two objects of one class with two managers are then told apart where two classes
 * are, and a local hit pays nothing for it. The prototype is empty and has no `constructor`: for all others the object is what it was.
 */

import { ClosedError } from '../../errors/closed-error.ts'
import { describeValue, InvalidOptionError } from '../../errors/option-error.ts'
import { shared } from '../../lifecycle/shared-state.ts'
import type { MethodCacheProvider } from './method-cache.ts'

type FindManager = () => MethodCacheProvider

/** What a prototype stands for that is between an object and its class. */
interface Binding {
  readonly manager: MethodCacheProvider
  /** That of the class. */
  readonly prototype: object
  /** The same function for all its objects, because a binding is compared by it. */
  readonly find: FindManager
}

/**
 * Binds an object to a manager, and returns the object. Again to the same manager: nothing happens.
 *
 * @throws InvalidOptionError for what has no class or cannot be bound, and for an object of another manager that is open; ClosedError
 */
export function bindObject<Target extends object>(
  manager: MethodCacheProvider,
  object: Target,
  where: string,
): Target {
  if (manager.isClosed) throw new ClosedError(undefined, where)
  const prototype = classPrototypeOf(object)
  if (prototype === undefined) throw refusal(object, where, shapeOf(object))
  const before = shared.bindings.get(prototype) as Binding | undefined
  if (before?.manager === manager) return object
  if (before !== undefined && !before.manager.isClosed)
    throw refusal(object, where, 'an object of another manager that is open')
  const own = prototypeFor(manager, before?.prototype ?? prototype)
  // Frozen objects keep their prototype, and a proxy may refuse.
  if (!Reflect.setPrototypeOf(object, own))
    throw refusal(object, where, 'an object that is frozen, sealed or otherwise fixed')
  return object
}

/**
 * Returns what finds the manager of bound objects, and of objects that are made of one (`Object.create`), by what all calls on them
 * have in common; see `startOf`.
 */
export function managerOfBound(start: unknown): FindManager | undefined {
  for (let at = start; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at)) {
    const binding = shared.bindings.get(at) as Binding | undefined
    if (binding !== undefined) return binding.find
  }
  return undefined
}

/** `undefined` for a value that is not an object of a class. */
function classPrototypeOf(object: unknown): object | undefined {
  if (typeof object !== 'object' || object === null || isPrototype(object)) return undefined
  const prototype: unknown = Object.getPrototypeOf(object)
  const isUsable = typeof prototype === 'object' && prototype !== Object.prototype
  return isUsable ? (prototype ?? undefined) : undefined
}

function isPrototype(object: object): boolean {
  const owner: unknown = Object.getOwnPropertyDescriptor(object, 'constructor')?.value
  return typeof owner === 'function' && owner.prototype === object
}

function refusal(received: unknown, option: string, described: string): InvalidOptionError {
  const expected = 'an object of a class, which belongs to no other open manager'
  return new InvalidOptionError({ option, expected, received, described })
}

function shapeOf(object: unknown): string {
  if (typeof object === 'function')
    return 'a function (static methods use @CacheConfig({ manager }))'
  if (typeof object !== 'object' || object === null) return describeValue(object)
  return isPrototype(object) ? 'the prototype of a class' : 'an object without a class'
}

/** The prototype of a manager's objects of one class, made for the first of them. */
function prototypeFor(manager: MethodCacheProvider, prototype: object): object {
  let ofManager = shared.boundPrototypes.get(manager)
  if (ofManager === undefined) {
    ofManager = new WeakMap()
    shared.boundPrototypes.set(manager, ofManager)
  }
  let own = ofManager.get(prototype)
  if (own === undefined) {
    own = Object.create(prototype) as object
    ofManager.set(prototype, own)
    const binding: Binding = { manager, prototype, find: () => manager }
    shared.bindings.set(own, binding)
  }
  return own
}
