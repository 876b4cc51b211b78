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
    const { parts, group, instance, options, timeoutMs, held } = this.#parts
    if (!this.#isJoined) await this.#join()
    await this.#sweep()
    if (parts.clock.now() >= this.#nextTakeAt) await this.#take(options.concurrency - held.size)
    const count = options.concurrency - held.size
    if (count <= 0 || this.#parts.isStopping() || !this.#isJoined) return
    const waitMs = Math.max(1, Math.min(LOOK_EVERY_MS, this.#nextTakeAt - parts.clock.now()))
    const asked = { consumer: instance, count, waitMs }
    const read = () => this.#reader.read(group, asked)
    const found = await parts.store.ask('read', waitMs + timeoutMs, read)
    if (found === 'absent') this.#isJoined = false
    else for (const entry of found) this.#parts.onEntry(entry)
  }

  /** For the end: nobody is to wait any longer. */
  tellReady(): void {
    this.#tellReady()
  }

  /** Never rejects. */
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
    const taken = await this.#ask('take', (provider) => provider.take(group, asked))
    if (taken === 'absent') {
      this.#isJoined = false
      return
    }
    this.#cursor = taken.cursor
    for (const _ of taken.gone) reports.gone()
    for (const entry of taken.entries) this.#parts.onEntry(entry)
    // There may be more of them.
    const isFull = taken.entries.length >= count || taken.cursor !== START
    const soonMs = Math.min(LOOK_EVERY_MS, idleMs / 2, taken.nextDueMs ?? LOOK_EVERY_MS)
    this.#nextTakeAt = parts.clock.now() + (isFull ? 0 : soonMs)
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
