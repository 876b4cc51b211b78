/** Hears what the nodes of a namespace tell each other. */

import { type BusMessage, type CancelTimer, startTimer } from '@larder/core/store'
import { Backend } from '../backend.ts'
import { decodeMessages } from '../bus/bus-message.ts'
import { readIdentity } from '../bus/store-identity.ts'
import { channelName } from '../key-layout.ts'
import type { ResolvedRedisStoreOptions } from '../options.ts'

export interface BusTailListener {
  onMessage(message: BusMessage): void
  /** Bytes that are not a message. */
  onGarbage?(reason: unknown): void
  /** Listens (again); messages may have been missed before. */
  onUp?(): void
  onDown?(reason: unknown): void
}

export interface BusTail {
  close(): Promise<void>
}

export interface BusTailParts {
  readonly options: ResolvedRedisStoreOptions
  readonly database: number
  readonly namespace: string
  readonly listener: BusTailListener
}

/** How often it is looked whether the store has another name now, and the bus another channel. */
const LOOK_EVERY_MS = 2_000

/** Listens over connections of its own, which come back when they were lost. */
export function tailBus(parts: BusTailParts): BusTail {
  return new Tail(parts)
}

class Tail implements BusTail {
  readonly #parts: BusTailParts
  readonly #backend: Backend
  #channel: string | undefined
  #cancelLook: CancelTimer | undefined
  #isClosed = false

  constructor(parts: BusTailParts) {
    this.#parts = parts
    // Told of no namespace, it tries no rights and no writes.
    this.#backend = new Backend(parts.options)
    void this.#look()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelLook?.()
    await this.#backend.close()
  }

  /** The identity is read and never left: a store that no node has used stays as it is. */
  async #look(): Promise<void> {
    const { namespace, database } = this.#parts
    await this.#backend.whenTried()
    const { client } = this.#backend
    const identity =
      client === undefined
        ? undefined
        : await readIdentity(client, namespace).catch(() => undefined)
    if (this.#isClosed) return
    const channel = channelName(namespace, { database, identity: identity ?? '' })
    if (identity !== undefined || this.#channel === undefined) this.#listen(channel)
    this.#cancelLook = startTimer(LOOK_EVERY_MS, () => void this.#look(), 'background')
  }

  #listen(channel: string): void {
    if (channel === this.#channel) return
    const { subscriber } = this.#backend
    if (this.#channel !== undefined) subscriber.forget(this.#channel)
    this.#channel = channel
    const { listener } = this.#parts
    subscriber.listen(channel, {
      onPayload: (payload) => this.#receive(payload),
      onUp: () => listener.onUp?.(),
      onDown: (reason) => listener.onDown?.(reason),
    })
  }

  #receive(payload: Buffer): void {
    const { listener } = this.#parts
    let messages: readonly BusMessage[]
    try {
      messages = decodeMessages(payload)
    } catch (reason) {
      listener.onGarbage?.(reason)
      return
    }
    for (const message of messages) listener.onMessage(message)
  }
}
