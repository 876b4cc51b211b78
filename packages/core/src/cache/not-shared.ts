/**
 * Loads whose result is for the caller that ran them alone: a response with a cookie, an answer made for one user.
 *
 * Such a result is kept in no tier. But who waits for a load is given its result, too, and whether that may be shared is known
 * only when the load is over. So those callers are told that it is not for them, and load for themselves. The next callers would
 * wait in vain once more, one after the other, here and under the lease on all nodes. So the key is marked for a while: loads of it
 * run side by side, and none waits for another. This node remembers the key, and the store is given a mark in the place of the
 * value. A result that may be shared ends all of it: it takes the place of the mark, under the lease.
 *
 * A mark serves nobody, so nothing depends on it: losing one costs a wait.
 */

import type { Flight } from './flight.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'

/** What a waiting caller gets in the place of a result that is not for it. */
export class NotShared {
  readonly #ranFor: ReadCall | undefined
  readonly #value: unknown

  /** `ranFor`: the one among the waiting callers whose own loader ran, and who therefore gets `value`. */
  constructor(ranFor?: ReadCall, value?: unknown) {
    this.#ranFor = ranFor
    this.#value = value
  }

  /** Returns the result for the caller who ran its loader, and what `apart` returns for any other. */
  answer(call: ReadCall, apart: (call: ReadCall) => Promise<unknown>): unknown {
    return call === this.#ranFor ? this.#value : apart(call)
  }
}

/** Nobody joins the flight any more, and who has joined it loads for itself. It can still be killed. */
export function stopSharing(
  node: Pick<CacheNode, 'flights' | 'unshared'>,
  flight: Flight,
  forMs: number,
): void {
  node.unshared.mark(flight.address.key, forMs)
  flight.isUnshared = true
  if (node.flights.get(flight.address.key) === flight) {
    node.flights.remove(flight)
    watchToItsEnd(node, flight)
  }
  // Callers that cannot be told wait for what comes.
  if (flight.joiners?.mayLoadApart === true) flight.joiners.resolve(new NotShared())
}

/** Lets a flight that nobody joins be killed until it is over. */
export function watchToItsEnd({ flights }: Pick<CacheNode, 'flights'>, flight: Flight): void {
  flights.watch(flight)
  flight.whenOver(() => flights.unwatch(flight))
}

/** Runs a caller's own loader, for the caller alone. */
export function loadApart(
  { closing }: Pick<CacheNode, 'closing'>,
  { loader, onDecided, rules }: ReadCall,
): Promise<unknown> {
  onDecided?.()
  const own = rules.patience?.signal
  const signal = own === undefined ? closing.signal : AbortSignal.any([closing.signal, own])
  return loader.load({ signal, previous: undefined, isBehind: false })
}
