/**
 * The remote store as the engine uses it: every call bounded by our own deadline, failures counted by a breaker, reads of
 * one tick gathered into one call.
 *
 * Client libraries queue, retry and resend on their own terms; a call that hangs inside one of them would hang the
 * decorated method. So the deadline is ours, and a reply that comes after it is ignored.
 */

import { Deadlines } from '../clock/deadlines.ts'
import type { Clock } from '../contracts/clock.ts'
import type { EntryAddress, RemoteStore } from '../contracts/remote-store.ts'
import { StoreTimeoutError, StoreUnavailableError } from '../errors/store-error.ts'
import type { Emitter } from '../events/events.ts'
import { type KeptContext, keepContext, runIn } from '../lifecycle/kept-context.ts'
import { Breaker } from './breaker.ts'
import { type ReadBatch, type ReadReceiver, TickReads } from './read-batch.ts'

/** A first attempt that takes longer is no slow start any more. */
const LONGEST_START_MS = 1_000

export class RemoteTier {
  readonly store: RemoteStore
  readonly timeoutMs: number
  readonly #events: Emitter
  readonly #breaker: Breaker
  readonly #deadlines: Deadlines
  readonly #reads: TickReads
  readonly #headerReads: TickReads
  readonly #clock: Clock
  /** Until then a call that is late says that this process begins, and nothing about the store; `undefined` before the first. */
  #startsUntil: number | undefined
  /** A batch of many callers' reads is none of theirs: the store is called in the context of whoever made the manager. */
  readonly #context: KeptContext = keepContext()

  constructor(store: RemoteStore, timeoutMs: number, clock: Clock, events: Emitter) {
    this.store = store
    this.timeoutMs = timeoutMs
    this.#events = events
    this.#clock = clock
    const { readsAtOnce = Number.POSITIVE_INFINITY } = store
    this.#reads = new TickReads(readsAtOnce, (batch) =>
      this.#deliver('read', batch, () => store.read(batch.addresses)),
    )
    this.#headerReads = new TickReads(Number.POSITIVE_INFINITY, (batch) =>
      this.#deliver('read-headers', batch, () => store.readHeaders(batch.addresses)),
    )
    this.#deadlines = new Deadlines(clock, timeoutMs, 'caller')
    this.#breaker = new Breaker(
      () => clock.now(),
      (state) => events.emit('breaker', { state }),
    )
  }

  /** False while it is pointless to ask: disconnected, or the breaker is open. Does not consume the breaker's probe. */
  get isReachable(): boolean {
    return this.#breaker.state === 'closed' && this.store.ready !== false
  }

  /** Something suggests that the store can be reached again: it need not be waited for any longer. */
  mayBeBack(): void {
    this.#breaker.mayBeBack()
  }

  /** Closes the store and its bus, and ends every timer of its own. */
  async close(): Promise<void> {
    await Promise.allSettled([this.store.bus?.close(), this.store.close()])
    this.#deadlines.close()
  }

  /**
   * Runs one operation within the deadline.
   *
   * @throws StoreUnavailableError without trying, or StoreTimeoutError, or what the store rejects with.
   */
  run<Result>(operation: string, call: (store: RemoteStore) => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => this.#call(operation, call, resolve, reject))
  }

  /** Adds a read to this tick's batch; `receiver` gets `context` with the outcome. */
  read<Context>(address: EntryAddress, receiver: ReadReceiver<Context>, context: Context): void {
    this.#reads.add(address, receiver, context)
  }

  /** Adds a header read to this tick's batch. */
  readHeader<Context>(
    address: EntryAddress,
    receiver: ReadReceiver<Context>,
    context: Context,
  ): void {
    this.#headerReads.add(address, receiver, context)
  }

  #deliver(
    operation: string,
    batch: ReadBatch,
    call: () => Promise<readonly (Uint8Array | undefined)[]>,
  ): void {
    runIn(this.#context, () =>
      this.#call(
        operation,
        call,
        (found) => batch.received(found),
        (error) => batch.failed(error),
      ),
    )
  }

  /** Calls the store; exactly one of the callbacks is called, once. What comes after the deadline is ignored. */
  #call<Result>(
    operation: string,
    call: (store: RemoteStore) => Promise<Result>,
    succeed: (result: Result) => void,
    fail: (error: unknown) => void,
  ): void {
    if (!this.#breaker.admits()) {
      const error = new StoreUnavailableError(operation)
      this.#events.emit('store-error', { operation, error, skipped: true })
      fail(error)
      return
    }
    this.#startsUntil ??= this.#awaitFirstAttempt()
    const failed = (error: unknown, wasHeldUp = false): void => {
      // What was late because we were says nothing about the store.
      if (wasHeldUp) this.#breaker.toldNothing()
      else this.#breaker.failed()
      this.#events.emit('store-error', { operation, error, skipped: false })
      fail(error)
    }
    const deadlines = this.#deadlines
    const deadline = deadlines.begin((wasHeldUp) => {
      const error = new StoreTimeoutError(operation, this.timeoutMs)
      if (!this.#isStarting) return failed(error, wasHeldUp)
      this.#breaker.toldNothing()
      fail(error)
    })
    let answer: Promise<Result>
    try {
      answer = call(this.store)
    } catch (error) {
      answer = Promise.reject(error)
    }
    answer.then(
      (result) => {
        if (!deadlines.end(deadline)) return
        this.#breaker.succeeded()
        succeed(result)
      },
      (error: unknown) => {
        if (deadlines.end(deadline)) failed(error)
      },
    )
  }

  /** Importing and connecting take a while where a process begins, and are no outage. */
  get #isStarting(): boolean {
    return this.#clock.now() < (this.#startsUntil ?? 0)
  }

  #awaitFirstAttempt(): number {
    const { whenTried } = this.store
    if (whenTried === undefined) return 0
    void whenTried.call(this.store).then(() => {
      this.#startsUntil = 0
    })
    return this.#clock.now() + LONGEST_START_MS
  }
}
