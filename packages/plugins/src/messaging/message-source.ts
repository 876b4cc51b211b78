/** Where a consumer gets its messages from: those that are new, those that are due again, and those that dead consumers left. */

import type {
  StreamEntry,
  StreamGroup,
  StreamParts,
  StreamProvider,
  StreamReader,
} from '@larder/core/store'
import type { ConsumerReports } from './consumer-reports.ts'
import type { ResolvedHandleOptions } from './handle-options.ts'
import type { HeldMessages } from './held-messages.ts'

export interface SourceParts {
  readonly parts: StreamParts
  readonly group: StreamGroup
  readonly instance: string
  readonly options: ResolvedHandleOptions
  readonly timeoutMs: number
  readonly held: HeldMessages
  readonly reports: ConsumerReports
  isStopping(): boolean
  onEntry(entry: StreamEntry): void
}

/** How long a read waits, and how often it is looked for what is due again, ms. */
const LOOK_EVERY_MS = 1_000
/** The same while handlers run: what they fail at may be due soon. */
const BUSY_LOOK_MS = 100
/** How long to rest between the parts of a long list of pending messages, ms. */
const NEXT_PART_MS = 20
/** A read bounds itself; this is for one that does not. */
const READ_GRACE_MS = 3_000
const SWEEP_EVERY_MS = 600_000
/** A consumer without messages is forgotten after so long, or ten times the visibility. */
const SILENT_MS = 3_600_000
const START = '0-0'

export class MessageSource {
  /** Resolves once the group is there. */
  readonly ready: Promise<void>
  #tellReady: () => void = () => undefined
  readonly #parts: SourceParts
  readonly #reader: StreamReader
  #isJoined = false
  #wasJoined = false
  #cursor = START
  #nextTakeAt = Number.NEGATIVE_INFINITY
  #nextSweepAt = Number.NEGATIVE_INFINITY

  constructor(parts: SourceParts) {
    this.#parts = parts
    this.#reader = parts.parts.store.provider.reader(parts.group.stream)
    this.ready = new Promise((resolve) => {
      this.#tellReady = resolve
    })
  }

  /** Fetches what there is room for, and waits shortly for new messages. @throws StreamUnavailableError */
  async fetch(): Promise<void> {
    const { parts, group, instance, options, held } = this.#parts
    if (!this.#isJoined) await this.#join()
    await this.#sweep()
    if (parts.clock.now() >= this.#nextTakeAt) await this.#take(options.concurrency - held.size)
    const count = options.concurrency - held.size
    if (count <= 0 || this.#parts.isStopping() || !this.#isJoined) return
    const longestMs = held.size > 0 ? BUSY_LOOK_MS : LOOK_EVERY_MS
    const waitMs = Math.max(1, Math.min(longestMs, this.#nextTakeAt - parts.clock.now()))
    const asked = { consumer: instance, count, waitMs }
    // What is delivered is ours, also when the answer comes too late for the one who asked.
    const read = async (): Promise<void> => {
      const found = await this.#reader.read(group, asked)
      if (found === 'absent') this.#isJoined = false
      else for (const entry of found) this.#parts.onEntry(entry)
    }
    await parts.store.ask('read', LOOK_EVERY_MS + READ_GRACE_MS, read)
  }

  /** Something is due in so long, as this consumer knows by itself. */
  expect(afterMs: number): void {
    this.#nextTakeAt = Math.min(this.#nextTakeAt, this.#parts.parts.clock.now() + afterMs)
  }

  /** For the end: nobody is to wait any longer. */
  tellReady(): void {
    this.#tellReady()
  }

  /** Ends a read that waits; what it was delivered by then is handed out. Never rejects. */
  async close(): Promise<void> {
    await this.#reader.close().catch(() => undefined)
  }

  /** Makes the group, also when it is no longer there. */
  async #join(): Promise<void> {
    const { group, options, reports } = this.#parts
    const place = this.#wasJoined ? options.afterLoss : options.from
    const isMade = await this.#ask('makeGroup', (provider) => provider.makeGroup(group, place))
    if (this.#wasJoined) reports.group('lost')
    else if (isMade) reports.group('made')
    this.#isJoined = true
    this.#wasJoined = true
    this.#cursor = START
    this.#tellReady()
  }

  async #take(count: number): Promise<void> {
    const { group, options, held, instance, reports, parts } = this.#parts
    const idleMs = options.visibilityMs
    const asked = { consumer: instance, count, idleMs, held: held.entries, cursor: this.#cursor }
    // As with a read: also when the answer comes late.
    const taken = await this.#ask('take', async (provider) => {
      const reply = await provider.take(group, asked)
      if (reply === 'absent') return reply
      for (const _ of reply.gone) reports.gone()
      for (const entry of reply.entries) this.#parts.onEntry(entry)
      return reply
    })
    if (taken === 'absent') {
      this.#isJoined = false
      return
    }
    this.#cursor = taken.cursor
    const soonMs = Math.min(LOOK_EVERY_MS, idleMs / 2, taken.nextDueMs ?? LOOK_EVERY_MS)
    // There may be more of them.
    const restMs = taken.cursor === START ? soonMs : Math.min(soonMs, NEXT_PART_MS)
    this.#nextTakeAt = parts.clock.now() + (taken.entries.length >= count ? 0 : restMs)
  }

  /** Forgets consumers that died long ago and left nothing. */
  async #sweep(): Promise<void> {
    const { group, options, parts } = this.#parts
    if (parts.clock.now() < this.#nextSweepAt) return
    this.#nextSweepAt = parts.clock.now() + SWEEP_EVERY_MS
    const silentMs = Math.max(SILENT_MS, options.visibilityMs * 10)
    await this.#ask('forget', (provider) => provider.forget(group, { silentMs }))
  }

  #ask<Reply>(
    operation: string,
    call: (provider: StreamProvider) => Promise<Reply>,
  ): Promise<Reply> {
    return this.#parts.parts.store.ask(operation, this.#parts.timeoutMs, call)
  }
}
