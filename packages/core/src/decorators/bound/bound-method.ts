/**
 * Binds a decorated method to the manager of the class on which it is called: at the first call, and again when the manager
 * changes. All decorators use this, each with what it needs of the manager.
 */

import { ClosedError } from '../../errors/closed-error.ts'
import { NotConfiguredError } from '../../errors/not-configured-error.ts'
import { InvalidOptionError } from '../../errors/option-error.ts'
import { isManagerElsewhere } from '../../lifecycle/shared-state.ts'
import { managerOfBound } from './bound-objects.ts'
import { currentCallScope } from './call-scope.ts'
import { defaultManager } from './default-manager.ts'
import type { MethodCacheProvider } from './method-cache.ts'
import type { MethodSite } from './method-site.ts'
import { sayRenewed } from './names.ts'
import { ByReceiver, type Receiver, receiverOf, startOf } from './receiver.ts'
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
