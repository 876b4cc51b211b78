/**
 * The remote store as the engine uses it: every call is bounded by our own deadline, a breaker counts failures, reads of one
 * tick go into one call, and no more calls are under way at once than a store answers in time.
 *
 * Client libraries queue, retry and resend by their own rules; a call that hangs inside one of them would hang the
 * decorated method. So the deadline is ours, and a reply that comes after it is ignored.
 */

import type { Clock } from '../contracts/clock.ts'
import type {
  EntryAddress,
  EvictRequest,
  MutationReply,
  RemoteStore,
} from '../contracts/remote-store.ts'
import { StoreTimeoutError, StoreUnavailableError } from '../errors/store-error.ts'
import type { Emitter } from '../events/emitter.ts'
import { Breaker } from '../guard/breaker.ts'
import { Deadlines } from '../guard/deadlines.ts'
import { Turns } from '../guard/turns.ts'
import { type KeptContext, keepContext, runIn } from '../lifecycle/call-context.ts'
import { isDefect, isOfWrites } from './failures.ts'
import { type ReadBatch, type ReadReceiver, TickReads } from './read-batch.ts'

/** At most so many entries are under way at once: a few milliseconds of work for a store, and enough to keep it busy over a slow network. */
const MOST_UNDER_WAY = 512
/** The most entries in one call. */
const MOST_OF_A_CALL = 500
/**
 * What loads need; there may be very many of these calls at once. Reads, which a store answers many times faster, and writes have
 * turns of their own, and other calls do not queue at all.
 */
const LOADING: ReadonlySet<string> = new Set(['claim', 'fill', 'renew'])
/** Entries that callers change or give back. */
const WRITING: ReadonlySet<string> = new Set(['put', 'swap', 'release'])

/** A call to the store. */
interface Task<Result> {
  readonly operation: string
  readonly call: (store: RemoteStore) => Promise<Result>
  readonly onLate: ((result: Result) => void) | undefined
}

/** A first attempt that takes longer than this is not a slow start any more. */
const LONGEST_START_MS = 1_000

export class RemoteTier {
  readonly store: RemoteStore
  readonly timeoutMs: number
  readonly #events: Emitter
  readonly #breaker: Breaker
  readonly #deadlines: Deadlines
  readonly #reads: TickReads
  readonly #headerReads: TickReads
  readonly #reading: Turns
  readonly #loading: Turns
  readonly #writing: Turns
  #isClosed = false
  readonly #clock: Clock
  /** Until then a late call tells that this process is starting, and nothing about the store; `undefined` before the first call. */
  #startsUntil: number | undefined
  /** A batch of many callers' reads belongs to none of them: the store is called in the context in which the manager was made. */
  readonly #context: KeptContext = keepContext()

  /** Errors of calls that were reported where they happened. */
  readonly #reported = new WeakSet<object>()

  constructor(store: RemoteStore, timeoutMs: number, clock: Clock, events: Emitter) {
    this.store = store
    this.timeoutMs = timeoutMs
    this.#events = events
    this.#clock = clock
    const { readsAtOnce = MOST_OF_A_CALL } = store
    this.#reads = new TickReads(Math.min(readsAtOnce, MOST_OF_A_CALL), (batch) =>
      this.#deliver('read', batch, () => store.read(batch.addresses)),
    )
    this.#headerReads = new TickReads(MOST_OF_A_CALL, (batch) =>
      this.#deliver('read-headers', batch, () => store.readHeaders(batch.addresses)),
    )
    const turns = (): Turns => new Turns(MOST_UNDER_WAY, () => clock.now(), timeoutMs)
    this.#reading = turns()
    this.#loading = turns()
    this.#writing = turns()
    this.#deadlines = new Deadlines(clock, timeoutMs, 'caller')
    this.#breaker = new Breaker(
      () => clock.now(),
      (state) => events.emit('breaker', { state }),
    )
  }

  /** False while asking is useless: disconnected, or the breaker is open. Does not consume the breaker's probe. */
  get isReachable(): boolean {
    return this.#breaker.state === 'closed' && this.store.ready !== false
  }

  /** Something suggests that the store can be reached again: calls need not wait for the breaker's pause to end. */
  mayBeBack(): void {
    this.#breaker.mayBeBack()
  }

  /** Closes the store and its bus, and ends every call that the store has not answered, and every timer. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled([this.store.bus?.close(), this.store.close()])
    this.#deadlines.endAll()
  }

  /**
   * Runs one operation within the deadline, which begins when its turn has come. `onLate` receives a result that comes after
   * the deadline.
   *
   * @throws StoreUnavailableError without trying, or StoreTimeoutError, or what the store rejects with.
   */
  run<Result>(
    operation: string,
    call: (store: RemoteStore) => Promise<Result>,
    onLate?: (result: Result) => void,
  ): Promise<Result> {
    const task = { operation, call, onLate }
    if (LOADING.has(operation)) return this.#inTurn(this.#loading, 1, task)
    if (WRITING.has(operation)) return this.#inTurn(this.#writing, 1, task)
    // Operations that keep a node coherent; there are only few at once.
    return new Promise((resolve, reject) => this.#call(task, resolve, reject))
  }

  /**
   * Evicts entries, however many, some hundreds per call; returns the replies in order.
   *
   * @throws the error of a failed call, after all calls have ended: some entries may be evicted then
   */
  async evict(
    addresses: readonly EntryAddress[],
    request: EvictRequest,
  ): Promise<readonly MutationReply[]> {
    const evicting: Promise<readonly MutationReply[]>[] = []
    // Sorted by partition, because each call answers for every partition it touches.
    const sorted =
      addresses.length > MOST_OF_A_CALL
        ? addresses.toSorted((a, b) => a.partition - b.partition)
        : addresses
    for (let from = 0; from < sorted.length; from += MOST_OF_A_CALL) {
      const some = sorted.slice(from, from + MOST_OF_A_CALL)
      const call = (store: RemoteStore): ReturnType<RemoteStore['evict']> =>
        store.evict(some, request)
      evicting.push(
        this.#inTurn(this.#writing, some.length, { operation: 'evict', call, onLate: undefined }),
      )
    }
    await Promise.allSettled(evicting)
    return (await Promise.all(evicting)).flat()
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
    const weight = batch.addresses.length
    const task = { operation, call, onLate: undefined }
    let begunAt = 0
    const succeed = (found: readonly (Uint8Array | undefined)[]): void => {
      this.#reading.end(weight, this.#clock.now() - begunAt)
      batch.received(found)
    }
    const fail = (error: unknown): void => {
      this.#reading.end(weight)
      batch.failed(error)
    }
    const start = (isOverdue: boolean): void => {
      begunAt = this.#clock.now()
      if (isOverdue) this.#skip(operation, fail)
      else this.#call(task, succeed, fail)
    }
    runIn(this.#context, () => this.#reading.take(weight, start))
  }

  #inTurn<Result>(turns: Turns, weight: number, task: Task<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      let begunAt = 0
      const succeed = (result: Result): void => {
        resolve(result)
        turns.end(weight, this.#clock.now() - begunAt)
      }
      const fail = (error: unknown): void => {
        reject(error)
        turns.end(weight)
      }
      turns.take(weight, (isOverdue) => {
        begunAt = this.#clock.now()
        if (isOverdue) this.#skip(task.operation, fail)
        else this.#call(task, succeed, fail)
      })
    })
  }

  #skip(operation: string, fail: (error: unknown) => void): void {
    const error = new StoreUnavailableError(operation)
    this.#events.emit('store-error', { operation, error, skipped: true })
    this.#fail(error, fail)
  }

  /** Calls the store; exactly one of the callbacks is called, once, even if an answer comes after the deadline. */
  #call<Result>(
    { operation, call, onLate }: Task<Result>,
    succeed: (result: Result) => void,
    fail: (error: unknown) => void,
  ): void {
    if (this.#isClosed || !this.#breaker.admits()) {
      this.#skip(operation, fail)
      return
    }
    this.#startsUntil ??= this.#awaitFirstAttempt()
    const failed = (error: unknown, wasHeldUp = false): void => {
      // A call that was late because of this process says nothing about the store.
      if (wasHeldUp) this.#breaker.toldNothing()
      else if (isOfWrites(error)) this.#breaker.succeeded()
      else this.#breaker.failed()
      this.#events.emit('store-error', { operation, error, skipped: false })
      if (isDefect(error)) this.reportDefect(operation, error)
      this.#fail(error, fail)
    }
    const deadlines = this.#deadlines
    const deadline = deadlines.begin((wasHeldUp) => {
      if (!wasHeldUp) {
        this.#reading.giveUp(this.timeoutMs)
        this.#loading.giveUp(this.timeoutMs)
        this.#writing.giveUp(this.timeoutMs)
      }
      const error = new StoreTimeoutError(operation, this.timeoutMs)
      if (!this.#isStarting) return failed(error, wasHeldUp)
      this.#breaker.toldNothing()
      this.#fail(error, fail)
    })
    let answer: Promise<Result>
    try {
      answer = call(this.store)
    } catch (error) {
      answer = Promise.reject(error)
    }
    answer.then(
      (result) => {
        if (!deadlines.end(deadline)) {
          onLate?.(result)
          return
        }
        this.#breaker.succeeded()
        succeed(result)
      },
      (error: unknown) => {
        if (deadlines.end(deadline)) failed(error)
      },
    )
  }

  #fail(error: unknown, fail: (error: unknown) => void): void {
    if (typeof error === 'object' && error !== null) this.#reported.add(error)
    fail(error)
  }

  /**
   * For callers that go on without the store after a failure: a failed call was already reported. Any other error is a defect,
   * of this package or of code it was given, and must not be mistaken for a store that is away.
   */
  reportDefect(task: string, error: unknown): void {
    if (typeof error !== 'object' || error === null || this.#reported.has(error)) return
    this.#events.emit('background-error', { task, error })
  }

  /** Importing and connecting take a while when a process begins, and are not an outage. */
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
