/** How a flight sets out: with the store if that may be used now, else without. */

import type { LocalEntry } from '../entry/local-entry.ts'
import { Flight, goOn } from './flight.ts'
import type { LoadPath } from './load-path.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import { traceFlight, tracesReads } from './read-reports.ts'
import type { RemoteRead } from './remote-read.ts'

export class FlightStart {
  readonly #node: CacheNode
  readonly #loads: LoadPath
  readonly #remote: RemoteRead

  constructor(node: CacheNode, loads: LoadPath, remote: RemoteRead) {
    this.#node = node
    this.#loads = loads
    this.#remote = remote
  }

  /** Makes a flight that stands on what is known now. */
  make(call: ReadCall, candidate?: LocalEntry): Flight {
    const { knowledge, clock } = this.#node
    return new Flight(call, knowledge.stamp(call.address.partition), clock.now(), candidate)
  }

  /** To be called when the flight can be killed: what it reads is as old as its stamp. */
  go(flight: Flight): void {
    const node = this.#node
    if (!this.usesRemote(flight.call)) {
      // An eviction of the key waits: what the store has is what was evicted.
      if (node.knowledge.isInDoubt(flight.address.key)) flight.missed = 'evicted'
      goOn(node, flight, this.#loads.loadAlone(flight))
      return
    }
    if (tracesReads()) traceFlight(node, flight)
    if (node.knowledge.canJudge(flight.call.policy.maxStalenessMs)) this.#remote.begin(flight)
    else goOn(node, flight, this.#prepareThenRead(flight))
  }

  usesRemote({ address, policy, mode }: ReadCall): boolean {
    const { remote, knowledge } = this.#node
    if (remote === undefined || !policy.remote || mode === 'localOnly') return false
    return !knowledge.isInDoubt(address.key)
  }

  /** What the flight stands on from now on; nothing may have been read yet. */
  stand(flight: Flight): void {
    flight.stamp = this.#node.knowledge.stamp(flight.address.partition)
    flight.at = this.#node.clock.now()
  }

  async #prepareThenRead(flight: Flight): Promise<void> {
    const { coherence, knowledge } = this.#node
    const { maxStalenessMs } = flight.call.policy
    await coherence.prepareToJudge(maxStalenessMs)
    if (!knowledge.canJudge(maxStalenessMs)) {
      flight.missed = 'store-away'
      await this.#loads.loadAlone(flight)
      return
    }
    this.stand(flight)
    this.#remote.begin(flight)
  }
}
