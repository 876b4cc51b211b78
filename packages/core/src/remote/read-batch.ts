/** Gathers the reads of one tick into calls to the store. */

import type { EntryAddress } from '../contracts/remote-store.ts'

/** Receives the outcomes of reads, each with the context it was asked with. Exactly one of the methods is called, once. */
export interface ReadReceiver<Context> {
  received(context: Context, bytes: Uint8Array | undefined): void
  failed(context: Context, error: unknown): void
}

/** The reads of one call, in parallel lists: an object per read would be most of the cost of gathering them. */
export class ReadBatch {
  readonly addresses: EntryAddress[]
  readonly #receivers: ReadReceiver<unknown>[]
  readonly #contexts: unknown[]

  /** Begins with one read, which usually stays the only one: a list that grows would make room for many. */
  constructor(address: EntryAddress, receiver: ReadReceiver<unknown>, context: unknown) {
    this.addresses = [address]
    this.#receivers = [receiver]
    this.#contexts = [context]
  }

  /** Returns how many reads there are now. */
  add(address: EntryAddress, receiver: ReadReceiver<unknown>, context: unknown): number {
    this.#receivers.push(receiver)
    this.#contexts.push(context)
    return this.addresses.push(address)
  }

  received(found: readonly (Uint8Array | undefined)[]): void {
    const receivers = this.#receivers
    for (let i = 0; i < receivers.length; i++) receivers[i]?.received(this.#contexts[i], found[i])
  }

  failed(error: unknown): void {
    const receivers = this.#receivers
    for (let i = 0; i < receivers.length; i++) receivers[i]?.failed(this.#contexts[i], error)
  }
}

export class TickReads {
  readonly #most: number
  readonly #send: (batch: ReadBatch) => void
  #batch: ReadBatch | undefined

  /** `send` gets a batch when it holds `most` reads, or at the tick's end. */
  constructor(most: number, send: (batch: ReadBatch) => void) {
    this.#most = most
    this.#send = send
  }

  /** Adds a read; `receiver` gets `context` with the outcome. */
  add<Context>(address: EntryAddress, receiver: ReadReceiver<Context>, context: Context): void {
    const taker = receiver as ReadReceiver<unknown>
    if (this.#batch === undefined) {
      this.#batch = new ReadBatch(address, taker, context)
      process.nextTick(this.#flush)
    } else if (this.#batch.add(address, taker, context) === this.#most) this.#flush()
  }

  readonly #flush = (): void => {
    const batch = this.#batch
    this.#batch = undefined
    if (batch !== undefined) this.#send(batch)
  }
}
