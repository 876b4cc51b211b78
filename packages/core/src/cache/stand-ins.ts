/**
 * Waiting for a load of this process no longer than for one of another node (I4): past `leaseWait`, one of those who wait
 * loads in its place, and all of them get what comes first.
 *
 * The load may be stuck; it may be slow; or it waits, by way of something that nobody could see, for the very one who waits
 * for it (see load-scope.ts). So it is left alone. It keeps its lease and its place, and if it ends, its result is the one
 * that is kept. The result of the stand-in is kept on this node only, and only until then. Displacing the load instead would mean that
 * nothing is ever kept of what takes longer than `leaseWait` and is asked for all the time.
 *
 * A place where this happened may be one where loads ask for themselves: its loads are tracked from then on, whatever that
 * costs, so that it is noticed at once.
 */

import { keepContext, runIn } from '../lifecycle/kept-context.ts'
import { Flight } from './flight.ts'
import { Joiners } from './joiners.ts'
import type { LoadPath } from './load-path.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'

export class StandIns {
  readonly #node: CacheNode
  readonly #loads: LoadPath

  constructor(node: CacheNode, loads: LoadPath) {
    this.#node = node
    this.#loads = loads
  }

  /** Returns what a caller gets who joins a flight. */
  join(flight: Flight, call: ReadCall): Promise<unknown> {
    if (flight.isSettled) return flight.promise
    flight.joiners ??= this.#gather(flight, call)
    return flight.joiners.promise
  }

  /** The first caller that joins loads for all of them, in its own context. */
  #gather(flight: Flight, call: ReadCall): Joiners {
    const context = keepContext()
    const deadlines = this.#node.waits(call.policy.leaseWaitMs)
    const deadline = deadlines.begin(() => runIn(context, () => this.#standIn(flight, call)))
    return new Joiners(() => void deadlines.end(deadline))
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
    // Nobody joins it, but whatever invalidates the key ends its being kept.
    flights.watch(standIn)
    standIn.promise.then(
      (value) => flight.joiners?.resolve(value),
      (error: unknown) => flight.joiners?.reject(error),
    )
    const loading = this.#loads
      .loadAlone(standIn)
      .catch((error: unknown) => standIn.reject(error))
      .finally(() => flights.unwatch(standIn))
    work.run('read', loading)
  }
}
