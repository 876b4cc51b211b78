/**
 * The right to load a key for all nodes: claimed in the store, renewed while the loader runs, proven at the fill, and given back.
 *
 * A lease that is left behind holds up every other node for as long as it waits. It is left behind whenever a release fails,
 * or when the outcome of a claim or a fill is unknown. So each is released, under a token that was known before it was
 * sent, until the store has said that it did: at once, and again after every sync that shows that the store answers.
 * Releasing what is not held does nothing. A lease that ended by its deadline needs no release any more.
 *
 * Its token is a number that nobody else draws. Writes are known by such numbers, too: a fill proves its lease by the one and leaves the other.
 */

import { randomFillSync } from 'node:crypto'
import type { Clock } from '../contracts/clock.ts'
import type { EntryAddress } from '../contracts/remote-store.ts'
import type { Deadline, Deadlines } from '../guard/deadlines.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { type KeptContext, keepContext, runIn } from '../lifecycle/call-context.ts'
import { PassingList } from '../lifecycle/passing.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'

const ID_BYTES = 6
/** Random bytes for many ids: asking the system for a few at a time costs more than the rest of a claim. */
const pool = Buffer.alloc(ID_BYTES * 1_024)
let used = pool.length

/** Returns a random non-zero 48-bit number: a lease token or commit id. */
export function randomId(): number {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const id = pool.readUIntBE(used, ID_BYTES)
  used += ID_BYTES
  return id || 1
}

/** Renewals within one lease, so that one lost renewal does not lose it. */
const RENEWALS_PER_LEASE = 3

/** A lease is held for at least this long, so that renewing stays rare however short `leaseWait` is. */
const SHORTEST_LEASE_MS = 1_000

export function leaseLength(leaseWaitMs: number): number {
  return Math.max(SHORTEST_LEASE_MS, leaseWaitMs)
}

/** The parts of a node that leases need. */
interface LeaseHome {
  readonly remote: RemoteTier | undefined
  readonly work: BackgroundWork
  readonly clock: Clock
  readonly isClosed: boolean
  readonly leases: Leases
  deadlines(ms: number): Deadlines
}

export interface LeaseParts {
  readonly address: EntryAddress
  readonly token: number
  readonly leaseMs: number
  readonly isCertain: boolean
}

/** One lease. It is renewed until it is stopped, spent or released. */
export class Lease {
  readonly address: EntryAddress
  readonly token: number
  readonly #node: LeaseHome
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

  constructor(node: LeaseHome, { address, token, leaseMs, isCertain }: LeaseParts) {
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

/** How many releases are remembered; other leases end by their deadline. */
const MOST_WAITING = 10_000

/** What is needed to give a lease back. */
export interface LeaseId {
  readonly address: EntryAddress
  readonly token: number
  /** When it ends by itself at the latest, monotonic ms. */
  readonly endsAt: number
}

/** The leases of a node: those that it holds, and those whose release has not arrived yet. */
export class Leases {
  readonly #node: LeaseHome
  readonly #held = new PassingList<Lease>()
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
  hold(lease: Lease): number {
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
