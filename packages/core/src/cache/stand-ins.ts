/**
 * Waiting for a load of this process no longer than for one of another node (I4): after `leaseWait`, one of the waiting callers
 * loads in its place, and all of them get the first result.
 *
 * The load may be stuck; it may be slow; or it waits, in a way that could not be noticed, for the very caller that waits
 * for it (see load-scope.ts). So it is left alone. It keeps its lease and its place, and if it ends, its result is the one
 * that is kept. The result of the stand-in is kept on this node only, and only until then. Displacing the load instead would mean that
 * a value that takes longer than `leaseWait` and is requested all the time is never kept.
 *
 * A place where this happened may be one where loads ask for themselves: its loads are tracked from then on, whatever that
 * costs, so that it is noticed at once.
 */

import { keepContext, runIn } from '../lifecycle/call-context.ts'
import { Flight } from './flight.ts'
import { Joiners } from './joiners.ts'
import type { LoadPath } from './load-path.ts'
import type { CacheNode } from './node.ts'
import { NotShared } from './not-shared.ts'
import type { ReadCall } from './read-call.ts'

export class StandIns {
  readonly #node: CacheNode
  readonly #loads: LoadPath

  constructor(node: CacheNode, loads: LoadPath) {
    this.#node = node
    this.#loads = loads
  }

  /** Returns the result for a caller that joins a flight; a `NotShared` where it is not for it, if its joiners may load apart. */
  join(flight: Flight, call: ReadCall): Promise<unknown> {
    if (flight.isSettled) return flight.promise
    flight.joiners ??= this.#gather(flight, call)
    return flight.joiners.promise
  }

  /** The same, where a result that is not for the caller is what `again` returns. */
  answer(
    flight: Flight,
    call: ReadCall,
    again: (call: ReadCall) => Promise<unknown>,
  ): Promise<unknown> {
    const result = this.join(flight, call)
    if (flight.joiners?.mayLoadApart !== true) return result
    return result.then((value) => (value instanceof NotShared ? value.answer(call, again) : value))
  }

  /** The first caller that joins loads for all of them, in its own context. */
  #gather(flight: Flight, call: ReadCall): Joiners {
    const context = keepContext()
    const deadlines = this.#node.waits(call.policy.leaseWaitMs)
    const deadline = deadlines.begin(() => runIn(context, () => this.#standIn(flight, call)))
    const mayLoadApart = hasOwnResults(flight.call) || hasOwnResults(call)
    return new Joiners(() => void deadlines.end(deadline), mayLoadApart)
  }

  #standIn(flight: Flight, call: ReadCall): void {
    const { knowledge, clock, flights, work, isClosed } = this.#node
    if (flight.isSettled || isClosed) return
    flight.call.site.tracksLoads = true
    call.site.tracksLoads = true
    const stamp = knowledge.stamp(call.address.partition)
    const standIn = new Flight(call.unobserved(), stamp, clock.now())
    flight.standIn = standIn
    standIn.joinedBy(undefined)
    // No caller joins it, but an invalidation of the key prevents that its result is kept.
    flights.watch(standIn)
    standIn.promise.then(
      (value) => flight.joiners?.resolve(standIn.isUnshared ? new NotShared(call, value) : value),
      (error: unknown) => flight.joiners?.reject(error),
    )
    const loading = this.#loads
      .loadAlone(standIn)
      .catch((error: unknown) => standIn.reject(error))
      .finally(() => flights.unwatch(standIn))
    work.run('read', loading)
  }
}

/** Whether a result of its loader may be for one caller alone. */
function hasOwnResults({ rules }: ReadCall): boolean {
  return rules.unsharedOf !== undefined
}
