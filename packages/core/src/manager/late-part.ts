/** A part that a manager makes at its first use: what its users get, and how it ends. */

import type { BoundValues } from '../cache/bound-values.ts'
import type { CacheNode } from '../cache/node.ts'
import { createPreciseClock } from '../clock/system-clock.ts'
import type { Clock } from '../contracts/clock.ts'
import type { ProviderKind, Providers } from '../contracts/providers.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BreakerState } from '../guard/breaker.ts'
import { ProviderStore } from '../guard/provider-store.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { isOfWrites } from '../remote/failures.ts'
import { createValues } from './create-values.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { providerOf } from './provider-of.ts'

export interface LatePart<Face> {
  /** What its users get. */
  readonly face: Face
  /** The stores behind it, each with its breaker. */
  stores(): readonly {
    readonly provider: { readonly name: string }
    readonly breaker: BreakerState
  }[]
  /** Ends what waits, such as callers for a lock, before background work is awaited. */
  endWaits?(): Promise<void>
  /** Closes its provider, once what was under way is over. */
  closeStore?(): Promise<void>
}

/** What the functions of a plugin need of a manager, to keep something with a provider. */
export interface StoreParts<Store> {
  readonly namespace: string
  readonly store: Store
  readonly events: Emitter
  readonly work: BackgroundWork
  readonly clock: Clock
}

/** The same, of what keeps values: their bytes go through the codec and the codec steps of the manager. */
export interface ValueParts<Store> extends StoreParts<Store> {
  readonly values: BoundValues
}

/** What is known when a part is made. */
export interface PartPlace {
  readonly options: ResolvedManagerOptions
  readonly node: CacheNode
}

interface Store {
  readonly provider: { readonly name: string }
  readonly breaker: BreakerState
  close(): Promise<void>
}

/** A part that keeps something with the provider of its kind. @throws InvalidOptionError where there is no provider */
export function storePart<Kind extends ProviderKind, Made extends { readonly store: Store }>(
  kind: Kind,
  { options, node }: PartPlace,
  make: (provider: Providers[Kind], clock: Clock) => Made,
): LatePart<StoreParts<Made['store']> & Made> {
  const { namespace, clock = createPreciseClock() } = options
  const provider = providerOf(kind, options)
  provider.open(namespace)
  const made = make(provider, clock)
  const { events, work } = node
  return {
    face: { namespace, events, work, clock, ...made },
    stores: () => [made.store],
    closeStore: () => made.store.close(),
  }
}

/**
 * How such a part is made that needs nothing but its provider. `Unavailable`: what its calls reject with when the store cannot say.
 * `isVerdict`: tells an error that is what the store says, which callers get as it is.
 */
export function plainPart<Kind extends ProviderKind>(
  kind: Kind,
  Unavailable: new (cause: unknown) => Error,
  isVerdict: (error: unknown) => error is Error,
): (place: PartPlace) => LatePart<StoreParts<ProviderStore<Providers[Kind]>>> {
  const unavailable = (cause: unknown): Error => (isVerdict(cause) ? cause : new Unavailable(cause))
  const isAnswer = (error: unknown): boolean => isOfWrites(error) || isVerdict(error)
  return (place) =>
    storePart(kind, place, (provider, clock) => {
      const { events } = place.node
      const parts = { provider, clock, events, kind, unavailable, isAnswer }
      return { store: new ProviderStore(parts) }
    })
}

/** The same of what keeps values. */
export function valuePart<Kind extends ProviderKind>(
  kind: Kind,
  Unavailable: new (cause: unknown) => Error,
): (place: PartPlace) => LatePart<ValueParts<ProviderStore<Providers[Kind]>>> {
  const unavailable = (cause: unknown): Error => new Unavailable(cause)
  return (place) => {
    const { options, node } = place
    const values = createValues(options, node)
    return storePart(kind, place, (provider, clock) => {
      const { events } = node
      // A store that takes nothing new still says what is in it.
      const isAnswer = isOfWrites
      const parts = { provider, clock, events, kind, unavailable, isAnswer }
      return { store: new ProviderStore(parts), values }
    })
  }
}
