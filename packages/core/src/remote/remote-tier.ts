/**
 * The remote store as the engine uses it: every call bounded by our own deadline, failures counted by a breaker, reads of
 * one tick gathered into one call.
 *
 * Client libraries queue, retry and resend on their own terms; a call that hangs inside one of them would hang the
 * decorated method. So the deadline is ours, and a reply that comes after it is ignored.
 */

import type { Clock } from '../contracts/clock.ts'
import type { EntryAddress, RemoteStore } from '../contracts/remote-store.ts'
import { StoreTimeoutError, StoreUnavailableError } from '../errors/store-error.ts'
import type { Emitter } from '../events/events.ts'
import { Breaker } from './breaker.ts'

/** Receives one read's outcome. Exactly one of the methods is called, once. */
export interface ReadReceiver {
  readonly address: EntryAddress
  received(bytes: Uint8Array | undefined): void
  failed(error: unknown): void
}

export class RemoteTier {
  readonly store: RemoteStore
  readonly timeoutMs: number
  readonly #clock: Clock
  readonly #events: Emitter
  readonly #breaker: Breaker
  #reads: ReadReceiver[] = []
  #headerReads: ReadReceiver[] = []

  constructor(store: RemoteStore, timeoutMs: number, clock: Clock, events: Emitter) {
    this.store = store
    this.timeoutMs = timeoutMs
    this.#clock = clock
    this.#events = events
    this.#breaker = new Breaker(
      () => clock.now(),
      (state) => events.emit('breaker', { state }),
    )
  }

  /** False while it is pointless to ask: disconnected, or the breaker is open. Does not consume the breaker's probe. */
  get isReachable(): boolean {
    return this.#breaker.state === 'closed' && this.store.ready !== false
  }

  /**
   * Runs one operation within the deadline.
   *
   * @throws StoreUnavailableError without trying, or StoreTimeoutError, or what the store rejects with.
   */
  async run<Result>(
    operation: string,
    call: (store: RemoteStore) => Promise<Result>,
    timeoutMs = this.timeoutMs,
  ): Promise<Result> {
    if (!this.#breaker.admits()) {
      const error = new StoreUnavailableError(operation)
      this.#events.emit('store-error', { operation, error, skipped: true })
      throw error
    }
    try {
      const result = await this.#withinDeadline(operation, call, timeoutMs)
      this.#breaker.succeeded()
      return result
    } catch (error) {
      this.#breaker.failed()
      this.#events.emit('store-error', { operation, error, skipped: false })
      throw error
    }
  }

  /** Adds a read to this tick's batch. */
  read(receiver: ReadReceiver): void {
    if (this.#reads.push(receiver) === 1) process.nextTick(() => this.#flushReads())
  }

  /** Adds a header read to this tick's batch. */
  readHeader(receiver: ReadReceiver): void {
    if (this.#headerReads.push(receiver) === 1) process.nextTick(() => this.#flushHeaderReads())
  }

  #flushReads(): void {
    const receivers = this.#reads
    this.#reads = []
    this.#deliver('read', receivers, (store, addresses) => store.read(addresses))
  }

  #flushHeaderReads(): void {
    const receivers = this.#headerReads
    this.#headerReads = []
    this.#deliver('read-headers', receivers, (store, addresses) => store.readHeaders(addresses))
  }

  #deliver(
    operation: string,
    receivers: readonly ReadReceiver[],
    call: (
      store: RemoteStore,
      addresses: readonly EntryAddress[],
    ) => Promise<readonly (Uint8Array | undefined)[]>,
  ): void {
    const addresses = receivers.map((receiver) => receiver.address)
    this.run(operation, (store) => call(store, addresses)).then(
      (found) => {
        for (let i = 0; i < receivers.length; i++) receivers[i]?.received(found[i])
      },
      (error: unknown) => {
        for (const receiver of receivers) receiver.failed(error)
      },
    )
  }

  #withinDeadline<Result>(
    operation: string,
    call: (store: RemoteStore) => Promise<Result>,
    timeoutMs: number,
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const cancel = this.#clock.schedule(timeoutMs, () => {
        reject(new StoreTimeoutError(operation, timeoutMs))
      })
      let answer: Promise<Result>
      try {
        answer = call(this.store)
      } catch (error) {
        answer = Promise.reject(error)
      }
      // A late rejection lands in an already settled promise and is dropped, so nothing floats.
      answer.then(resolve, reject).finally(cancel)
    })
  }
}
