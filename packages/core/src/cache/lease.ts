/** The right to load a key for all nodes: claimed in the store, renewed while the loader runs, proven at the fill. */

import type { EntryAddress } from '../contracts/remote-store.ts'
import type { Deadline, Deadlines } from '../guard/deadlines.ts'
import { type KeptContext, keepContext, runIn } from '../lifecycle/kept-context.ts'
import type { CacheNode } from './node.ts'

/** Renewals within one lease, so that one lost renewal does not lose it. */
const RENEWALS_PER_LEASE = 3

/** A lease is held for at least this long, so that renewing stays rare however short `leaseWait` is. */
const SHORTEST_LEASE_MS = 1_000

export function leaseLength(leaseWaitMs: number): number {
  return Math.max(SHORTEST_LEASE_MS, leaseWaitMs)
}

export interface LeaseParts {
  readonly address: EntryAddress
  readonly token: number
  readonly leaseMs: number
  readonly isCertain: boolean
}

export class Lease {
  readonly address: EntryAddress
  readonly token: number
  readonly #node: CacheNode
  readonly leaseMs: number
  /** One timer renews the leases of many. */
  readonly #context: KeptContext = keepContext()
  /** False when it is unknown whether the claim was granted: its reply was lost, or too late. */
  readonly isCertain: boolean
  /** True once it was released, or a fill used it up: there is nothing left to give back. */
  #isSpent = false
  readonly #place: number
  /** When it ends in the store unless it is renewed, monotonic ms. */
  #endsAt: number
  readonly #renewals: Deadlines
  #renewal: Deadline
  #isEnded = false

  constructor(node: CacheNode, { address, token, leaseMs, isCertain }: LeaseParts) {
    this.#node = node
    this.address = address
    this.token = token
    this.isCertain = isCertain
    this.leaseMs = leaseMs
    this.#endsAt = node.clock.now() + leaseMs
    this.#place = node.leases.hold(this)
    this.#renewals = node.deadlines(leaseMs / RENEWALS_PER_LEASE)
    this.#renewal = this.#renewals.begin(this.#renewInBackground)
  }

  /** True once there is nothing left to give back. */
  get isSpent(): boolean {
    return this.#isSpent
  }

  /** Stops renewing; the fill that follows proves whether the lease still stood. */
  stop(): void {
    this.#isEnded = true
    this.#renewals.end(this.#renewal)
  }

  /** A fill has used it up. */
  spend(): void {
    if (this.#isSpent) return
    this.stop()
    this.#isSpent = true
    this.#node.leases.letGo(this.#place)
  }

  /** Gives the lease up without a value, in the background, unless it is spent. */
  release(): void {
    if (this.#isSpent) return
    this.spend()
    this.#node.leases.release({ address: this.address, token: this.token, endsAt: this.#endsAt })
  }

  readonly #renewInBackground = (): void => {
    this.#node.work.run(
      'renew',
      runIn(this.#context, () => this.#renew()),
    )
  }

  async #renew(): Promise<void> {
    const { remote } = this.#node
    if (remote === undefined || this.#isEnded) return
    let stillHeld = true
    try {
      stillHeld = await remote.run('renew', (store) =>
        store.renew(this.address, this.token, this.leaseMs),
      )
    } catch (error) {
      // Another renewal may get through before the deadline.
      remote.reportDefect('renew', error)
    }
    if (stillHeld) this.#endsAt = this.#node.clock.now() + this.leaseMs
    if (stillHeld && !this.#isEnded) {
      this.#renewal = this.#renewals.begin(this.#renewInBackground)
    }
  }
}
