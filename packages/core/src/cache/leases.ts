/**
 * Gives leases back, so that no node waits for a load that will not come.
 *
 * A lease that is left behind holds up every other node for as long as it waits. It is left behind whenever a release fails,
 * or when the outcome of a claim or a fill is unknown. So each is released, under a token that was known before it was
 * sent, until the store has said that it did: at once, and again after every sync that shows that the store answers.
 * Releasing what is not held does nothing. A lease that ended by its deadline needs no release any more.
 */

import type { Clock } from '../contracts/clock.ts'
import type { EntryAddress } from '../contracts/remote-store.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { PassingList } from '../lifecycle/passing.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'

/** So many releases are remembered; other leases end by their deadline. */
const MOST_WAITING = 10_000

/** What is needed to give a lease back. */
export interface LeaseId {
  readonly address: EntryAddress
  readonly token: number
  /** When it ends by itself at the latest, monotonic ms. */
  readonly endsAt: number
}

interface Releasable {
  release(): void
}

/** The parts of the node that releasing needs. */
interface LeaseHome {
  readonly remote: RemoteTier | undefined
  readonly work: BackgroundWork
  readonly clock: Clock
  readonly isClosed: boolean
}

export class Leases {
  readonly #node: LeaseHome
  readonly #held = new PassingList<Releasable>()
  #waiting = new Set<LeaseId>()
  #releasing = new Set<Promise<void>>()

  constructor(node: LeaseHome) {
    this.#node = node
  }

  /** Leases whose release has not arrived yet, as far as is known. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Returns its place, with which it is removed, once. */
  hold(lease: Releasable): number {
    return this.#held.add(lease)
  }

  letGo(place: number): void {
    this.#held.delete(place)
  }

  /** Releases in the background. */
  release(lease: LeaseId): void {
    const { remote, work } = this.#node
    if (remote === undefined) return
    const releasing = remote
      .run('release', (store) => store.release(lease.address, lease.token))
      // The remote tier has reported the failure.
      .catch(() => this.#remember(lease))
      .finally(() => this.#releasing.delete(releasing))
    this.#releasing.add(releasing)
    work.run('release', releasing)
  }

  /** The store answers: leases that could not be released may be released now. */
  releaseAgain(): void {
    if (this.#waiting.size === 0) return
    const waiting = this.#waiting
    this.#waiting = new Set()
    const now = this.#node.clock.now()
    for (const lease of waiting) if (lease.endsAt > now) this.release(lease)
  }

  /** For the end: gives back what is held, and resolves when the store knows or did not answer in time. */
  async releaseAll(): Promise<void> {
    for (const lease of this.#held.values()) lease.release()
    this.releaseAgain()
    await Promise.all(this.#releasing)
  }

  #remember(lease: LeaseId): void {
    if (this.#node.isClosed || lease.endsAt <= this.#node.clock.now()) return
    if (this.#waiting.size < MOST_WAITING) this.#waiting.add(lease)
  }
}
