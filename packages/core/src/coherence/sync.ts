/**
 * Polls the numbers of the store: one round trip that reads every partition's head and the tag
 * clock.
 *
 * Evictions that wait are run first: no sync counts as confirmation before that, or the node would trust copies that it was
 * told to forget. Values that wait are sent after it. Syncs run one after the other; a request while one is under way makes
 * another one follow it.
 */

import type { CancelTimer } from '../contracts/clock.ts'
import { type KeptContext, keepContext, runIn } from '../lifecycle/call-context.ts'
import type { Confirmation } from './confirmation.ts'
import { INTERVALS } from './intervals.ts'
import type { Knowledge } from './knowledge.ts'
import type { LatePuts } from './late-puts.ts'
import type { Outbox } from './outbox.ts'
import { ALL_PARTITIONS } from './partitions.ts'
import type { ConnectedParts } from './parts.ts'
import type { CoherenceReports } from './reports.ts'
import { SleepWatch } from './sleep-watch.ts'

/** Syncs run this often within one maxStaleness, so that one slow or lost sync does not isolate the node. */
const SYNCS_PER_STALENESS = 2.5
/** A read waits for so many syncs at most: a process begins with several connections, and each that comes up asks for one. */
const SYNCS_PER_READ = 4

export interface SyncParts extends Pick<ConnectedParts, 'remote' | 'clock' | 'targets'> {
  readonly knowledge: Knowledge
  readonly reports: CoherenceReports
  readonly outbox: Outbox
  readonly latePuts: LatePuts
  readonly confirmation: Confirmation
}

export class Sync {
  readonly #parts: SyncParts
  readonly #sleep: SleepWatch
  /** Connections, polls and their results outlive the call that starts them, and do not belong to its context. */
  readonly #context: KeptContext = keepContext()
  /** How many syncs were answered, with all that they led to. */
  #answered = 0
  #pollMs = Number.POSITIVE_INFINITY
  #cancelPoll: CancelTimer | undefined
  #running: Promise<void> | undefined
  #runAgain = false
  #isStarted = false
  #isClosed = false

  constructor(parts: SyncParts) {
    this.#parts = parts
    this.#sleep = new SleepWatch(parts.clock)
  }

  /** The sync under way. */
  get running(): Promise<void> | undefined {
    return this.#running
  }

  /** Opens store and bus at the first use, and runs the first sync. */
  start(open: () => void): void {
    if (this.#isClosed || this.#isStarted) return
    this.#isStarted = true
    runIn(this.#context, () => {
      open()
      void this.run()
    })
  }

  /** Runs a sync, or joins the one under way and has another follow it. Never rejects. */
  run(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#lookForSleep()
    if (this.#running !== undefined) {
      this.#runAgain = true
      return this.#running
    }
    const run = runIn(this.#context, () => this.#runOnce()).finally(() => {
      this.#running = undefined
      this.schedule()
      if (this.#runAgain) {
        this.#runAgain = false
        void this.run()
      }
    })
    this.#running = run
    return run
  }

  /** Makes entries of the store judgeable, if that is possible now. Never rejects. */
  async prepareToJudge(maxStalenessMs: number): Promise<void> {
    const { knowledge } = this.#parts
    for (let i = 0; i < SYNCS_PER_READ && !knowledge.canJudge(maxStalenessMs); i++) {
      const answered = this.#answered
      await (this.#running ?? this.run())
      // Where the store answers, another connection came up meanwhile, and the sync was too early to tell of it.
      if (this.#answered === answered) return
    }
  }

  /** Asks for syncs often enough for entries that may be `maxStalenessMs` behind at most. */
  requireStaleness(maxStalenessMs: number): void {
    const pollMs = maxStalenessMs / SYNCS_PER_STALENESS
    if (pollMs >= this.#pollMs) return
    this.#pollMs = pollMs
    this.schedule()
  }

  /** Sets the time of the next sync. */
  schedule(): void {
    this.#cancelPoll?.()
    if (this.#isClosed || !this.#isStarted) return
    const { knowledge, clock } = this.#parts
    const isWaiting = knowledge.queue.size > 0 || !Number.isFinite(this.#pollMs)
    const base = isWaiting ? Math.min(this.#pollMs, INTERVALS.tryEveryMs) : this.#pollMs
    // Jitter, so that the nodes of a fleet do not poll at the same moment.
    const delay = base * (0.75 + Math.random() / 4)
    this.#cancelPoll = runIn(this.#context, () =>
      clock.schedule(delay, () => void this.run(), 'background'),
    )
  }

  close(): void {
    this.#isClosed = true
    this.#cancelPoll?.()
    this.#parts.confirmation.close()
  }

  async #runOnce(): Promise<void> {
    const { remote, clock, knowledge, reports, outbox, confirmation, targets } = this.#parts
    try {
      await outbox.drain()
      const { trustedSince: since, tags } = knowledge
      const sent = { at: clock.now(), since, tags: tags.confirmed }
      const { suspicions } = knowledge
      knowledge.advanced.clear()
      const reply = await remote.run('sync', (store) => store.sync(ALL_PARTITIONS))
      this.#lookForSleep()
      if (confirmation.isAwakeSince(sent)) {
        knowledge.server.note(reply.nowMs, sent.at, clock.now())
        await confirmation.tags(reply, sent)
        const isSeenTo = await confirmation.partitions(reply, sent)
        if (isSeenTo) knowledge.settleSuspicions(suspicions)
        targets.synced?.()
        if (isSeenTo && suspicions === knowledge.suspicions) await this.#putLate()
      } else {
        // The reply may be as old as the sleep was long.
        this.#runAgain = true
      }
      this.#answered += 1
    } catch (error) {
      // The sync then confirms nothing; other nodes are told again what is in doubt.
      outbox.tellAgain(error)
      remote.reportDefect('sync', error)
    }
    reports.state()
  }

  /**
   * Sends the values that wait, now that it is known whether the history they name still is the store's. Nothing is
   * confirmed while they wait, so another sync follows.
   */
  async #putLate(): Promise<void> {
    const { knowledge, latePuts } = this.#parts
    if (knowledge.queue.puts().length === 0) return
    await latePuts.send()
    this.#runAgain = true
  }

  #lookForSleep(): void {
    if (!this.#sleep.hasSlept()) return
    this.#parts.knowledge.distrustEverything()
    this.#parts.reports.state()
  }
}
