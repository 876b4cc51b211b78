/** What the caches of one manager share: this process's end of the coherence protocol, its tiers, its clock and its reports. */

import { setMaxListeners } from 'node:events'
import { Coherence } from '../coherence/coherence.ts'
import type { Knowledge } from '../coherence/knowledge.ts'
import { partitionOf } from '../coherence/partitions.ts'
import type { Clock } from '../contracts/clock.ts'
import type { EntryAddress } from '../contracts/remote-store.ts'
import type { Emitter } from '../events/emitter.ts'
import type { OpenTrace } from '../events/open-trace.ts'
import { Paced } from '../events/paced.ts'
import { DeadlineLengths, type Deadlines } from '../guard/deadlines.ts'
import { BackgroundWork } from '../lifecycle/background-work.ts'
import { currentUnitOf } from '../lifecycle/call-context.ts'
import type { SecondsMeant } from '../options/seconds-meant.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'
import { StatsRegistry } from '../stats/stats.ts'
import type { CopyValue } from '../values/copy-value.ts'
import type { PendingWrites } from '../writes/pending-writes.ts'
import { ASKED_HERE, ChangeMarks } from './change-marks.ts'
import type { EvictionUnit } from './eviction-unit.ts'
import { Flights } from './flight.ts'
import { Leases } from './lease.ts'
import type { LocalTier } from './local-tier.ts'
import { Overtakings } from './overtakings.ts'
import { SettleWindows } from './settle-windows.ts'
import { UnsharedKeys } from './unshared-keys.ts'
import type { ValuePipeline } from './value-pipeline.ts'
import { WakeUps } from './wake-ups.ts'

export interface NodeParts {
  readonly namespace: string
  readonly clock: Clock
  /** Calls run their loaders and nothing else. */
  readonly isOff: boolean
  readonly events: Emitter
  readonly local: LocalTier | undefined
  readonly remote: RemoteTier | undefined
  readonly values: ValuePipeline | undefined
  readonly copyValue: CopyValue
  /** Throws a ValueError for what a shared tier would refuse; absent where nothing is checked. */
  readonly checkValue: ((value: unknown) => unknown) | undefined
  /** The manager, whose units of work collect evictions. */
  readonly owner: object
  /** In development. */
  readonly secondsMeant: SecondsMeant | undefined
}

/** One node: a process (or a manager in it) with its own local tier. */
export class CacheNode {
  readonly isOff: boolean
  readonly namespace: string
  readonly clock: Clock
  readonly events: Emitter
  readonly local: LocalTier | undefined
  readonly remote: RemoteTier | undefined
  /** Absent when there is no remote tier. */
  readonly values: ValuePipeline | undefined
  readonly copyValue: CopyValue
  /** Holds values that stay in this process to what a shared tier would take; absent where nothing is checked. */
  readonly checkValue: ((value: unknown) => unknown) | undefined
  /** Notices durations that were probably meant as seconds; in development. */
  readonly secondsMeant: SecondsMeant | undefined
  readonly stats = new StatsRegistry()
  /** Of reads and loads, those that have not ended: empty while nobody has subscribed. */
  readonly traces = new Set<OpenTrace<never>>()
  /** Of each cache, so many failures of codec steps are told of in ten seconds. */
  readonly stepFailures = new Paced(10_000, 10)
  readonly flights = new Flights()
  /** What happened to keys while puts are under way. */
  readonly changes = new ChangeMarks()
  readonly leases = new Leases(this)
  /** Keys whose loads are not waited for. */
  readonly unshared: UnsharedKeys
  readonly wakeUps: WakeUps
  /** What refreshes give way to. */
  readonly overtakings = new Overtakings()
  readonly settling: SettleWindows
  readonly work: BackgroundWork
  readonly coherence: Coherence
  /** What reads ask before they believe anything. */
  readonly knowledge: Knowledge
  /** Aborts the loads that are still running when the manager closes. */
  readonly closing = new AbortController()
  /** What waits in write-behind queues; set by the manager. */
  pendingWrites: PendingWrites | undefined
  readonly #owner: object
  readonly #deadlines: DeadlineLengths
  readonly #waits: DeadlineLengths
  #longestLifeMs = 0

  constructor(parts: NodeParts) {
    // Every running load listens.
    setMaxListeners(0, this.closing.signal)
    this.namespace = parts.namespace
    this.clock = parts.clock
    this.#deadlines = new DeadlineLengths(parts.clock, 'background')
    this.#waits = new DeadlineLengths(parts.clock, 'caller')
    this.isOff = parts.isOff
    this.events = parts.events
    this.local = parts.local
    this.remote = parts.remote
    this.values = parts.values
    this.copyValue = parts.copyValue
    this.checkValue = parts.checkValue
    this.#owner = parts.owner
    this.secondsMeant = parts.secondsMeant
    this.work = new BackgroundWork(parts.events)
    this.wakeUps = new WakeUps(parts.clock)
    this.settling = new SettleWindows(parts.clock)
    this.unshared = new UnsharedKeys(parts.clock)
    this.coherence = new Coherence({
      namespace: parts.namespace,
      remote: parts.remote,
      clock: parts.clock,
      events: parts.events,
      work: this.work,
      longestLifeMs: () => this.#longestLifeMs,
      targets: {
        forget: (keys, seq, soft) => this.#forget(keys, seq, soft ?? false),
        settle: (keys, settleMs) => {
          for (const key of keys) this.settling.open(key, settleMs)
        },
        wake: (key) => {
          this.flights.wake(key)
          this.wakeUps.wake(key)
        },
        synced: () => this.leases.releaseAgain(),
      },
    })
    this.knowledge = this.coherence.knowledge
  }

  get isClosed(): boolean {
    return this.closing.signal.aborted
  }

  /** The unit of work that the running code is part of. Costs one comparison while there is none. */
  unit(): EvictionUnit | undefined {
    return currentUnitOf(this.#owner) as EvictionUnit | undefined
  }

  /** Tag bookkeeping has to outlive every entry, so it must know the longest life any of them has. */
  noteLife(livesForMs: number): void {
    if (livesForMs > this.#longestLifeMs) this.#longestLifeMs = livesForMs
  }

  /** Deadlines of one length, for what goes on in the background. */
  deadlines(ms: number): Deadlines {
    return this.#deadlines.of(ms)
  }

  /** The same for what a caller waits for. */
  waits(ms: number): Deadlines {
    return this.#waits.of(ms)
  }

  /** For the end: drops the timers; what waits for something here goes on, and finds that it is closed. */
  endDeadlines(): void {
    this.#deadlines.close()
    this.#waits.endAll()
  }

  addressOf(fullKey: string): EntryAddress {
    return { partition: partitionOf(fullKey), key: fullKey }
  }

  #forget(keys: readonly string[], seq: number, soft: boolean): void {
    for (const key of keys) {
      this.flights.kill(key, seq)
      // What is asked for here is noted by who asks for it: it is forgotten once more when the store has done it.
      if (seq !== ASKED_HERE) this.changes.note(key, seq)
      const entry = this.local?.peek(key)
      // An entry that was put under this very number, or read after it, already includes the change.
      if (entry === undefined || entry.stamp.seq >= seq) continue
      if (soft) entry.soften()
      else this.local?.delete(key)
    }
  }
}
