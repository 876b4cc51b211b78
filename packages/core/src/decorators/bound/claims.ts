/**
 * Who has taken which name: what is named after class and method, or shared by several classes, may not meet by accident.
 *
 * Names made of class and method (of caches, of limiters) go to the first who asks. The entries of a named cache, under keys
 * that say nothing of the object, go to the first class of a hierarchy that inherits them.
 */

import { shared } from '../../lifecycle/shared-state.ts'
import type { AnyClass, MethodSite } from './method-site.ts'
import { isSameReceiver, type Receiver } from './receiver.ts'
import { type Defined, isReevaluated } from './reevaluated.ts'

interface Claim {
  readonly site: MethodSite
  readonly receiver: Receiver
}

/** What became of a claim. `renewed`: the class was defined once more by the same file, and takes over. */
export type ClaimOutcome = 'granted' | 'renewed' | 'nameless' | 'refused'

/** The claims on one manager. */
export class Claims {
  readonly #names = new Map<string, Claim>()
  readonly #inherited = new Map<string, Claim[]>()

  /** Returns the claims on a manager. */
  static on(manager: object): Claims {
    // Those of another copy of this package are of its class.
    const known = (shared.claims.get(manager) as Claims | undefined) ?? new Claims()
    shared.claims.set(manager, known)
    return known
  }

  /** Claims a name made of a label, such as `cache Products.find`. */
  claimName(name: string, claim: Claim): ClaimOutcome {
    if (claim.receiver.label.startsWith('.')) return 'nameless'
    const holder = this.#names.get(name)
    const isOwn =
      holder === undefined ||
      (holder.site.isSame(claim.site) && isSameReceiver(holder.receiver, claim.receiver))
    const isAgain = !isOwn && isNextGeneration(holder, claim)
    if (!isOwn && !isAgain) return 'refused'
    // Who has members but no name of its own is to be known by the next one of its kind.
    const isTelling = claim.receiver.identity !== claim.receiver.named
    if (holder === undefined || isAgain || isTelling) this.#names.set(name, claim)
    return isAgain ? 'renewed' : 'granted'
  }

  /** Claims the entries of a named cache for a class; returns the class that has them already, if that is another one. */
  claimEntries(cacheName: string, claim: Claim): AnyClass | undefined {
    const claims = this.#inherited.get(cacheName) ?? []
    const others = claims.filter((other) => isInherited(other, claim))
    const other = others.find(
      ({ receiver }) =>
        !isSameReceiver(receiver, claim.receiver) &&
        !isReevaluated({ owner: receiver.identity }, { owner: claim.receiver.identity }),
    )
    if (other !== undefined) return other.receiver.named
    const { named, identity } = claim.receiver
    const isKnown = others.some(
      ({ site, receiver }) =>
        site === claim.site && receiver.named === named && receiver.identity === identity,
    )
    if (!isKnown) {
      claims.push(claim)
      this.#inherited.set(cacheName, claims)
    }
    return undefined
  }
}

/** True when one of the methods is inherited by the class of the other call: not where two classes name the same cache. */
function isInherited(one: Claim, other: Claim): boolean {
  return isWithin(one.site, other.receiver) || isWithin(other.site, one.receiver)
}

function isWithin({ definer }: MethodSite, { classes }: Receiver): boolean {
  return definer !== undefined && classes.includes(definer)
}

/** True when the class of a claim is that of the holder, defined once more. */
function isNextGeneration(holder: Claim, claim: Claim): boolean {
  const [old, young] = [definedBy(holder.site), definedBy(claim.site)]
  if (old !== undefined && young !== undefined && old.owner !== young.owner) {
    // What is made again from the base up is made again.
    return isReevaluated(old, young)
  }
  const { named, identity } = claim.receiver
  return holder.receiver.named === named
    ? isReevaluated({ owner: holder.receiver.identity }, { owner: identity })
    : isReevaluated({ owner: holder.receiver.named }, { owner: named })
}

function definedBy({ definer, evaluation }: MethodSite): Defined | undefined {
  return definer && { owner: definer, evaluation }
}
