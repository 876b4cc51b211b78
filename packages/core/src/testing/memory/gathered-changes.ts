/**
 * Puts and evictions of one node that were asked for together, as one request: what a store does that shares a script among them.
 *
 * Puts and evictions are requests of their own. Changes of one key keep their order: one that meets another of its key among
 * those that wait has them sent first.
 */

import type {
  EntryAddress,
  EvictRequest,
  MutationReply,
  PutReply,
  PutRequest,
} from '../../contracts/remote-store.ts'
import * as steps from './entry-steps.ts'
import type { Step } from './step.ts'

/** Sends one atomic step to the server. */
export type SendStep = <Result>(
  operation: 'put' | 'evict',
  step: (step: Step) => Result,
) => Promise<Result>

interface Waiting<Item, Reply> {
  readonly item: Item
  resolve(reply: Reply): void
  reject(error: unknown): void
}

export class GatheredChanges {
  readonly #puts: Gathering<steps.PutItem, PutReply>
  readonly #evictions: Gathering<steps.EvictItem, MutationReply>

  constructor(send: SendStep) {
    this.#puts = new Gathering(
      (items) => send('put', (step) => steps.putTogether(step, items)),
      ({ address }) => [address.key],
    )
    this.#evictions = new Gathering(
      (items) => send('evict', (step) => steps.evictTogether(step, items)),
      ({ addresses }) => addresses.map(({ key }) => key),
    )
  }

  put(address: EntryAddress, request: PutRequest): Promise<PutReply> {
    if (this.#puts.concerns([address.key])) this.#puts.flush()
    if (this.#evictions.concerns([address.key])) this.#evictions.flush()
    return this.#puts.add({ address, request })
  }

  /** `addresses`: of one partition. */
  evict(
    addresses: readonly [EntryAddress, ...EntryAddress[]],
    request: EvictRequest,
  ): Promise<MutationReply> {
    if (this.#puts.concerns(addresses.map(({ key }) => key))) this.#puts.flush()
    return this.#evictions.add({ addresses, request })
  }
}

class Gathering<Item, Reply> {
  readonly #send: (items: readonly Item[]) => Promise<readonly Reply[]>
  readonly #keysOf: (item: Item) => readonly string[]
  #waiting: Waiting<Item, Reply>[] = []

  constructor(
    send: (items: readonly Item[]) => Promise<readonly Reply[]>,
    keysOf: (item: Item) => readonly string[],
  ) {
    this.#send = send
    this.#keysOf = keysOf
  }

  /** True when something that waits is about one of the keys. */
  concerns(keys: readonly string[]): boolean {
    return this.#waiting.some(({ item }) => this.#keysOf(item).some((key) => keys.includes(key)))
  }

  add(item: Item): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) process.nextTick(() => this.flush())
      this.#waiting.push({ item, resolve, reject })
    })
  }

  flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length === 0) return
    this.#send(waiting.map(({ item }) => item)).then(
      (replies) => {
        for (const [i, { resolve }] of waiting.entries()) resolve(replies[i] as Reply)
      },
      (error: unknown) => {
        for (const { reject } of waiting) reject(error)
      },
    )
  }
}
