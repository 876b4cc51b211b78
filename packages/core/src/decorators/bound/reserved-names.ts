/**
 * Which method has which name: names made of class and method, or shared by several classes, must not collide by accident.
 *
 * Names made of class and method (of caches, of limiters) go to the first method that asks. The entries of a named cache, under keys
 * that do not contain anything of the object, go to the first class of a hierarchy that inherits them.
 */

import { shared } from '../../lifecycle/shared-state.ts'
import type { AnyClass, MethodSite } from './method-site.ts'
import { isSameReceiver, type Receiver } from './receiver.ts'
import { type Defined, isReevaluated } from './reevaluated.ts'

interface NamedMethod {
  readonly site: MethodSite
  readonly receiver: Receiver
}

/** The outcome of a reservation. `renewed`: the same file defined the class again, and the new class takes the name over. */
export type ReservationOutcome = 'granted' | 'renewed' | 'nameless' | 'refused'

/** The names that are reserved on one manager. */
export class ReservedNames {
  readonly #names = new Map<string, NamedMethod>()
  readonly #inherited = new Map<string, NamedMethod[]>()

  /** Returns the reserved names of a manager. */
  static on(manager: object): ReservedNames {
    // The names of another copy of this package are an object of that copy's class.
    const known =
      (shared.reservedNames.get(manager) as ReservedNames | undefined) ?? new ReservedNames()
    shared.reservedNames.set(manager, known)
    return known
  }

  /** Reserves a name made of a label, such as `cache Products.find`. */
  reserveName(name: string, asker: NamedMethod): ReservationOutcome {
    if (asker.receiver.label.startsWith('.')) return 'nameless'
    const holder = this.#names.get(name)
    const isOwn =
      holder === undefined ||
      (holder.site.isSame(asker.site) && isSameReceiver(holder.receiver, asker.receiver))
    const isAgain = !isOwn && isNextGeneration(holder, asker)
    if (!isOwn && !isAgain) return 'refused'
    // A class with members but no name of its own must be compared with the next one of its kind.
    const isTelling = asker.receiver.identity !== asker.receiver.named
    if (holder === undefined || isAgain || isTelling) this.#names.set(name, asker)
    return isAgain ? 'renewed' : 'granted'
  }

  /** Reserves the entries of a named cache for a class; returns the class that has them already, if that is another one. */
  reserveEntries(cacheName: string, asker: NamedMethod): AnyClass | undefined {
    const holders = this.#inherited.get(cacheName) ?? []
    const others = holders.filter((other) => isInherited(other, asker))
    const other = others.find(
      ({ receiver }) =>
        !isSameReceiver(receiver, asker.receiver) &&
        !isReevaluated({ owner: receiver.identity }, { owner: asker.receiver.identity }),
    )
    if (other !== undefined) return other.receiver.named
    const { named, identity } = asker.receiver
    const isKnown = others.some(
      ({ site, receiver }) =>
        site === asker.site && receiver.named === named && receiver.identity === identity,
    )
    if (!isKnown) {
      holders.push(asker)
      this.#inherited.set(cacheName, holders)
    }
    return undefined
  }
}

/** True when one of the methods is inherited by the class of the other call; false where two classes name the same cache. */
function isInherited(one: NamedMethod, other: NamedMethod): boolean {
  return isWithin(one.site, other.receiver) || isWithin(other.site, one.receiver)
}

function isWithin({ definer }: MethodSite, { classes }: Receiver): boolean {
  return definer !== undefined && classes.includes(definer)
}

/** True when the class of the asker is that of the holder, defined again. */
function isNextGeneration(holder: NamedMethod, asker: NamedMethod): boolean {
  const [old, young] = [definedBy(holder.site), definedBy(asker.site)]
  if (old !== undefined && young !== undefined && old.owner !== young.owner) {
    // A class that is evaluated again defines its base again too.
    return isReevaluated(old, young)
  }
  const { named, identity } = asker.receiver
  return holder.receiver.named === named
    ? isReevaluated({ owner: holder.receiver.identity }, { owner: identity })
    : isReevaluated({ owner: holder.receiver.named }, { owner: named })
}

function definedBy({ definer, evaluation }: MethodSite): Defined | undefined {
  return definer && { owner: definer, evaluation }
}
