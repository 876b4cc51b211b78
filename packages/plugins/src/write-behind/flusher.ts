/**
 * Takes what is due, and has it written: one batch after the other, in one process at a time.
 *
 * The process that holds the queue goes on holding it while it looks for more; the others look whether its hold has ended. A batch is
 * written under the hold, and what was written is acknowledged under it. When the hold is lost in between, the process that has it then
 * writes the batch again: so every write is written at least once.
 */

import type { KeptContext, QueueHold, TakenWrite, WrittenKey } from '@larder/core/store'
import { runIn } from '@larder/core/store'
import { type Failed, type Prepared, type Ready, writeBatch } from './batch.ts'
import { runInFlush } from './current-flush.ts'
import { Failures } from './failures.ts'
import { HeldQueue } from './held-queue.ts'
import type { QueueStore } from './queue-store.ts'
import { withinTime } from './within-time.ts'
import type { FlushContext, WrittenWrite } from './written-write.ts'

/** Idle queues are looked at so often at least: another process may have asked for a flush. */
const MOST_IDLE_MS = 1_000
const LEAST_IDLE_MS = 5
/** A database that was away is tried so often at least. */
const MOST_OUTAGE_MS = 10_000
const ERROR_LENGTH = 1_000

export interface FlusherParts {
  readonly store: QueueStore
  /** That of the code which made the queue. */
  readonly context: KeptContext
  /** Called when a write became a dead letter. */
  onBuried(key: string, error: unknown): Promise<void>
}

export class Flusher {
  readonly #parts: FlusherParts
  readonly #store: QueueStore
  readonly #failures: Failures
  readonly #owner: string
  #hold: QueueHold | undefined
  #running: Promise<void> | undefined
  #underWay: Promise<unknown> | undefined
  #isAsked = false
  #isStopped = false
  #isClosing = false
  #outages = 0
  #cancel: (() => void) | undefined
  #lastError: unknown

  constructor(parts: FlusherParts) {
    this.#parts = parts
    this.#store = parts.store
    this.#owner = parts.store.owner
    this.#failures = new Failures(parts.store.clock, parts.store.options)
    this.#later(0)
  }

  /** What the writer or the store failed with last; `undefined` when the last batch was written. */
  get lastError(): unknown {
    return this.#lastError
  }

  /** Looks for what is due now. Resolves when nothing is, or something failed. Never rejects. */
  run(): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    this.#isAsked = true
    this.#running ??= this.#loop()
    return this.#running
  }

  /** Resolves when the round under way has ended, with all that follows from it. Never rejects. */
  async roundOver(): Promise<void> {
    await this.#underWay?.catch(() => undefined)
  }

  /** There is something to do in so many ms. */
  expect(inMs: number): void {
    if (this.#cancel === undefined && this.#running === undefined) this.#later(inMs)
  }

  /** From now on, nothing is made a dead letter. */
  closing(): void {
    this.#isClosing = true
  }

  /** Ends it, and the hold, once the batch under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#running
    const hold = this.#hold
    this.#hold = undefined
    if (hold !== undefined) await this.#store.release(hold).catch(() => undefined)
  }

  async #loop(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    let waitMs: number | undefined
    try {
      do {
        this.#isAsked = false
        const round = this.#round()
        this.#underWay = round
        waitMs = await round
      } while (!this.#isStopped && (waitMs === 0 || this.#isAsked))
    } catch (error) {
      this.#lastError = error
      waitMs = this.#store.options.backoffMs
    }
    this.#running = undefined
    if (!this.#isStopped && waitMs !== undefined) this.#later(waitMs)
  }

  #later(delayMs: number): void {
    if (this.#isStopped) return
    this.#cancel?.()
    const look = (): void => {
      this.#cancel = undefined
      void this.run()
    }
    this.#cancel = this.#store.clock.schedule(delayMs, look, 'background')
  }

  /** Returns how long to wait for the next one, ms; `undefined` until something is queued. */
  async #round(): Promise<number | undefined> {
    const { clock, options, isShared } = this.#store
    const sentAt = clock.now()
    const reply = await this.#store.take(this.#owner)
    const idleMs = Math.min(options.everyMs, MOST_IDLE_MS)
    if (reply.kind === 'held') return Math.max(LEAST_IDLE_MS, Math.min(reply.remainingMs, idleMs))
    const { fence, writes, nextMs } = reply
    this.#hold = { owner: this.#owner, fence }
    if (writes.length === 0) {
      if (nextMs === undefined && !isShared) return undefined
      return Math.max(LEAST_IDLE_MS, Math.min(nextMs ?? idleMs, idleMs))
    }
    return this.#write(writes, this.#hold, sentAt)
  }

  async #write(writes: readonly TakenWrite[], hold: QueueHold, sentAt: number): Promise<number> {
    const { clock, options } = this.#store
    const held = new HeldQueue({
      name: `writes:${options.name}`,
      clock,
      hold,
      sentAt,
      holdMs: options.holdMs,
      renew: (own) => this.#store.renew(own),
    })
    try {
      return await this.#writeHeld(writes, held)
    } finally {
      held.end()
      // A writer that was given up may still be writing: what comes next has a fence above its own.
      if (held.signal.aborted) await this.#giveUp(hold)
    }
  }

  async #writeHeld(writes: readonly TakenWrite[], held: HeldQueue): Promise<number> {
    this.#failures.beginRound()
    const prepared = await Promise.all(writes.map((taken) => this.#prepare(taken)))
    const ready = prepared.filter((each): each is Ready => 'write' in each)
    const unfit = prepared.flatMap((each) => ('error' in each ? [unfitOf(each)] : []))
    const outcome = await writeBatch(
      {
        held,
        failures: this.#failures,
        call: (some) => this.#call(some, held),
        acknowledge: (written) => this.#acknowledge(held, written),
      },
      ready,
    )
    this.#lastError = outcome.error ?? unfit[0]?.error
    if (outcome.error !== undefined) this.#store.report('writing', outcome.error)
    if (!held.isHeld) return LEAST_IDLE_MS
    // Those that failed alone while nothing succeeded may be as good as the others.
    await this.#settle(held, [...unfit, ...outcome.failed], outcome.isOutage)
    if (!outcome.isOutage) {
      this.#outages = 0
      return 0
    }
    this.#outages += 1
    return Math.min(MOST_OUTAGE_MS, this.#delayMs(this.#outages))
  }

  async #prepare(taken: TakenWrite): Promise<Prepared> {
    const { attempts } = this.#store.options
    if (taken.vanished >= attempts) return { taken, error: new VanishedError(taken.vanished) }
    try {
      return { taken, write: await this.#store.written(taken) }
    } catch (error) {
      return { taken, error }
    }
  }

  async #call(writes: readonly WrittenWrite<unknown>[], held: HeldQueue): Promise<void> {
    const { options, clock } = this.#store
    const context: FlushContext = { fence: held.hold.fence, signal: held.signal }
    const write = options.write as NonNullable<typeof options.write>
    const run = async (): Promise<unknown> => write(writes, context)
    const writing = runIn(this.#parts.context, () => runInFlush(context, run))
    await withinTime(writing, held, { clock, timeoutMs: options.writeTimeoutMs })
  }

  async #acknowledge(held: HeldQueue, written: readonly WrittenKey[]): Promise<void> {
    const isDone = await this.#store.acknowledge(held.hold, written)
    if (!isDone) held.lose()
  }

  async #settle(held: HeldQueue, failed: readonly Failed[], isOutage: boolean): Promise<void> {
    for (const { written, error, isFinal } of failed) {
      this.#failures.failed(written, isOutage)
      const isDead = isFinal || this.#failures.isDead(written.key)
      if (isDead && !this.#isClosing) {
        if (await this.#bury(held, written, error)) continue
      }
      if (!held.isHeld) return
      if (isOutage) continue
      const delayMs = this.#delayMs(this.#failures.postponed(written.key))
      const isDone = await this.#store.postpone(held.hold, [written.key], delayMs)
      if (!isDone) return held.lose()
    }
  }

  /** Returns false when it stays in the queue. */
  async #bury(held: HeldQueue, written: WrittenKey, error: unknown): Promise<boolean> {
    const outcome = await this.#store.bury(held.hold, written, textOf(error))
    if (outcome === 'lost') {
      held.lose()
      return false
    }
    if (outcome === 'full') return false
    this.#failures.forget(written.key)
    if (outcome === 'buried') {
      this.#store.report('dead letter', error)
      await this.#parts.onBuried(written.key, error)
    }
    return true
  }

  async #giveUp(hold: QueueHold): Promise<void> {
    this.#hold = undefined
    await this.#store.release(hold).catch(() => undefined)
  }

  #delayMs(times: number): number {
    const { backoffMs, maxBackoffMs } = this.#store.options
    return Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(30, Math.max(0, times - 1)))
  }
}

class VanishedError extends Error {
  override readonly name = 'VanishedError'

  constructor(times: number) {
    super(
      `The process that was writing it ended ${times} times, or stood still, while it wrote this alone.`,
    )
  }
}

/** What cannot be decoded or merged, or what ends the process, will not be the next time. */
function unfitOf({ taken, error }: Extract<Prepared, { error: unknown }>): Failed {
  const version = taken.parts.at(-1)?.version ?? 0
  return { written: { key: taken.key, version }, error, isFinal: true }
}

function textOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.toWellFormed().slice(0, ERROR_LENGTH)
}
