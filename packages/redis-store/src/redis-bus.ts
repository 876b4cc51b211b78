/** Pub/sub of invalidations and wake-ups. Delivery is at most once, and loss is for the engine to find. */

import type { Bus, BusListener, BusMessage } from '@larder/core'
import { decodeMessage } from './bus-message.ts'
import { channelName } from './key-layout.ts'
import type { Subscriber } from './subscriber.ts'

export class RedisBus implements Bus {
  readonly name = 'redis'
  readonly #subscriber: Subscriber
  #listener: BusListener | undefined
  #isClosed = false

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber
  }

  subscribe(namespace: string, listener: BusListener): void {
    if (this.#isClosed) return
    this.#listener = listener
    this.#subscriber.listen(channelName(namespace), {
      onPayload: (payload) => this.#receive(payload),
      onUp: () => this.#listener?.onUp(),
      onDown: (reason) => this.#listener?.onDown(reason),
    })
  }

  /** Tells the engine that something else than the subscription suggests to look again. */
  doubt(): void {
    this.#listener?.onDoubt()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#listener = undefined
    await this.#subscriber.close()
  }

  #receive(payload: Buffer): void {
    if (this.#listener === undefined) return
    let message: BusMessage
    try {
      message = decodeMessage(payload)
    } catch (reason) {
      this.#listener.onGarbage(reason)
      return
    }
    this.#listener.onMessage(message)
  }
}
