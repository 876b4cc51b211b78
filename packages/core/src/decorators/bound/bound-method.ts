/**
 * Binds a decorated method to the manager of the class on which it is called: at the first call, and again when the manager
 * changes. All decorators use this, each with what it needs of the manager.
 *
 * Where neither the class nor the object names a manager, it is the default one: of the open managers, the one made last. When that is
 * closed, the one made before it is used again. So a library or a test that makes a second default manager and closes it leaves
 * the application with its own.
 */

import { ClosedError } from '../../errors/closed-error.ts'
import { NotConfiguredError } from '../../errors/not-configured-error.ts'
import { InvalidOptionError } from '../../errors/option-error.ts'
import { currentCallScope } from '../../lifecycle/call-context.ts'
import { isThenable } from '../../lifecycle/is-thenable.ts'
import { isManagerElsewhere, shared, warnOnce } from '../../lifecycle/shared-state.ts'
import { managerOfBound } from './bound-objects.ts'
import type { MethodCacheProvider } from './method-cache.ts'
import { type AnyMethod, shapeOf } from './method-decorator.ts'
import type { MethodSite } from './method-site.ts'
import { sayRenewed } from './names.ts'
import { type Receiver, receiverOf } from './receiver.ts'
import { ReservedNames } from './reserved-names.ts'

/** A method of one class, bound to a manager. */
export interface BoundMethod {
  /** What all calls that it is for have in common; see `startOf`. */
  readonly start: unknown
  readonly site: MethodSite
  readonly receiver: Receiver
  readonly provider: MethodCacheProvider
  readonly findProvider: () => MethodCacheProvider | undefined
  /** How messages name the method: `@Cacheable(Products.find)`. */
  readonly where: string
}

export interface BinderParts<Bound extends BoundMethod> {
  /** `@Cacheable` and so on. */
  readonly decorator: string
  readonly site: MethodSite
  /** Whether classes that inherit the method share what it has. @default what `@CacheConfig` says */
  readonly shares?: boolean | undefined
  /** A call on a closed manager is refused here. @default false: the bound cache or limiter refuses it */
  readonly needsOpen?: boolean | undefined
  /** Adds what the decorator needs, once for each class and manager. */
  readonly tie: (method: BoundMethod) => Bound
}

/** What is known of a class before there is a manager, and what it is bound to later. */
interface Tie<Bound> {
  readonly receiver: Receiver
  /** Finds the manager to use. */
  readonly find: () => MethodCacheProvider | undefined
  bound: Bound | undefined
}

export class MethodBinder<Bound extends BoundMethod> {
  readonly #parts: BinderParts<Bound>
  readonly #isStatic: boolean
  readonly #ties: ByReceiver<Tie<Bound>>
  /** That of the last call: most methods are called on one class. */
  #last: Bound | undefined

  constructor(parts: BinderParts<Bound>) {
    const { site, shares } = parts
    this.#parts = parts
    this.#isStatic = site.isStatic
    this.#ties = new ByReceiver(site, (self) => {
      const receiver = receiverOf(site, self, shares)
      const ofObject = managerOfBound(startOf(self, site.isStatic))
      const find = receiver.config.manager ?? ofObject ?? defaultManager
      return { receiver, find, bound: undefined }
    })
  }

  /** How messages name the method where its class is not known yet. */
  get where(): string {
    return `${this.#parts.decorator}(${this.#parts.site.label})`
  }

  /**
   * What the last call was bound to, if this call is on the same class, the manager is still in use, and no scope applies:
   * all that the local-hit path needs to know.
   */
  quick(self: unknown): Bound | undefined {
    const last = this.#last
    if (last === undefined || last.start !== startOf(self, this.#isStatic)) return undefined
    if (currentCallScope() !== undefined || last.findProvider() !== last.provider) return undefined
    return last
  }

  /**
   * Returns what a call on `self` is bound to, binding it if necessary. At every call it uses the class's `manager`, or else the
   * one that the object is bound to, or else the default manager.
   *
   * @throws NotConfiguredError without a manager; ClosedError after it was closed; InvalidOptionError when the method needs
   *   a name, or a manager with more abilities.
   */
  bind(self: unknown): Bound {
    const tie = this.#ties.of(self)
    const { receiver, find: findProvider, bound } = tie
    const { label } = receiver
    const provider = findProvider()
    const { decorator, site, needsOpen } = this.#parts
    if (provider === undefined) {
      throw bound?.provider.isClosed === true
        ? new ClosedError(undefined, label)
        : new NotConfiguredError(label, isManagerElsewhere())
    }
    if (needsOpen === true && provider.isClosed) throw new ClosedError(undefined, label)
    if (bound?.provider !== provider) {
      const start = startOf(self, this.#isStatic)
      const where = `${decorator}(${label})`
      tie.bound = this.#parts.tie({ start, site, receiver, provider, findProvider, where })
    }
    this.#last = tie.bound as Bound
    return this.#last
  }
}

const NAMELESS = 'the class has no name'
const REFUSED =
  'another class of this name has a method of this name (if this is the same class, its file was evaluated twice under two names: hot reload, or a second copy)'

/** A name made from the method's own, and the message where it cannot be used. */
export interface OwnName {
  /** Such as `cache Products.find`. */
  readonly name: string
  readonly option: string
  /** What the user must give instead. */
  readonly expected: string
}

/** Reserves a name for a method. @throws InvalidOptionError when another method has it, or its class has no name */
export function reserveName({ provider, site, receiver }: BoundMethod, own: OwnName): void {
  const outcome = ReservedNames.on(provider).reserveName(own.name, { site, receiver })
  if (outcome === 'renewed') sayRenewed(receiver)
  if (outcome === 'granted' || outcome === 'renewed') return
  const why = outcome === 'nameless' ? NAMELESS : REFUSED
  const expected = `${own.expected}, because ${why}`
  throw new InvalidOptionError({ option: own.option, expected, received: undefined })
}

/** How many replaced managers are remembered: an application that never closes managers must not keep all of them in memory. */
const MOST_EARLIER = 16

/** Makes a manager the default one. Replacing one that is open is warned about once. */
export function setDefaultManager(manager: MethodCacheProvider): void {
  const { defaultManager: before, earlierManagers: earlier } = shared
  shared.defaultManager = manager
  if (before === undefined || before === manager || before.isClosed) return
  earlier.push(before)
  // The first one is most likely the application's own.
  if (earlier.length > MOST_EARLIER) earlier.splice(1, 1)
  warnOnce(
    'LARDER_SECOND_MANAGER',
    '',
    `A second default cache manager (${nameOf(manager)}) was created while the first (${nameOf(before)}) is open: decorated ` +
      'methods use the second one until it is closed. Close the first, or create one of them with default: false and name it in ' +
      '@CacheConfig({ manager }). If its module was only loaded twice (hot reload, vi.resetModules), close the old one there.',
  )
}

/** Forgets a manager that was closed; if it was the default, the one made last of those still open is used again. */
export function forgetDefaultManager(manager: MethodCacheProvider): void {
  const earlier = shared.earlierManagers
  const at = earlier.indexOf(manager)
  if (at >= 0) earlier.splice(at, 1)
  if (shared.defaultManager === manager) shared.defaultManager = earlier.pop()
}

/** Returns the default manager, if there is one. */
export function defaultManager(): MethodCacheProvider | undefined {
  // Nothing else is ever set here.
  return shared.defaultManager as MethodCacheProvider | undefined
}

function nameOf(manager: object): string {
  const { namespace } = manager as { readonly namespace?: unknown }
  return typeof namespace === 'string' ? `namespace ${namespace}` : 'without a namespace'
}

/** Keeps something for each class a method is called on. */
class ByReceiver<Held> {
  readonly #isStatic: boolean
  readonly #make: (self: unknown) => Held
  readonly #known = new WeakMap<object, Held>()
  #detached: Held | undefined

  constructor(site: MethodSite, make: (self: unknown) => Held) {
    this.#isStatic = site.isStatic
    this.#make = make
  }

  /** Returns what is kept for the class of `self`, made by the first call on it. */
  of(self: unknown): Held {
    const start = startOf(self, this.#isStatic)
    if (typeof start !== 'function' && (typeof start !== 'object' || start === null)) {
      this.#detached ??= this.#make(self)
      return this.#detached
    }
    const known = this.#known.get(start)
    if (known !== undefined) return known
    const made = this.#make(self)
    this.#known.set(start, made)
    return made
  }
}

/** What all calls on one class have in common, at the cost of one look-up: the class of a static method, else the prototype. */
export function startOf(self: unknown, isStatic: boolean): unknown {
  return isStatic || self === undefined || self === null ? self : Object.getPrototypeOf(self)
}

/** Calls a method and requires a promise; an error it throws at once becomes a rejection. */
export function invoke(
  method: AnyMethod,
  self: unknown,
  args: readonly unknown[],
  where: string,
): Promise<unknown> {
  try {
    const result = method.apply(self, args as unknown[])
    if (result instanceof Promise) return result
    if (isThenable(result)) return Promise.resolve(result)
    throw new InvalidOptionError({
      option: where,
      expected: 'a method that returns a promise (make it async)',
      received: result,
      described: shapeOf(result),
    })
  } catch (error) {
    return Promise.reject(error)
  }
}
