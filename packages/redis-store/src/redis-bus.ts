/** Pub/sub on a connection of its own. Delivery is at most once; a connection that died silently is found by pings. */

import type { Bus, BusListener } from '@larder/core'
import { decodeMessage } from './bus-message.ts'
import { Connection } from './connection.ts'
import { channelName } from './key-layout.ts'
import type { Target } from './options.ts'

const PING_TIMEOUT_MS = 2_000

export class RedisBus implements Bus {
  readonly name = 'redis'
  readonly #target: Target
  readonly #pingEveryMs: number
  #connection: Connection | undefined
  #listener: BusListener | undefined
  #channel = ''
  #pinging: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(target: Target, pingEveryMs: number) {
    this.#target = target
    this.#pingEveryMs = pingEveryMs
  }

  subscribe(namespace: string, listener: BusListener): void {
    this.#listener = listener
    this.#channel = channelName(namespace)
    void this.#open().catch((reason: unknown) => listener.onDown(reason))
  }

  /** Tells the engine to look again, when something else than the subscription suggests that it may have missed something. */
  lookAgain(): void {
    if (!this.#isClosed) this.#listener?.onDoubt()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#pinging)
    this.#connection?.client.off('messageBuffer', this.#receive)
    this.#connection?.close()
  }

  async #open(): Promise<void> {
    const connection = await Connection.to(this.#target, {
      onReady: () => void this.#subscribe(),
      onClose: () => this.#listener?.onDown('the subscriber connection closed'),
      onTopology: () => this.lookAgain(),
    })
    if (this.#isClosed) {
      connection.close()
      return
    }
    this.#connection = connection
    connection.client.on('messageBuffer', this.#receive)
    await connection.connect()
    this.#pinging = setInterval(() => void this.#ping(), this.#pingEveryMs)
    this.#pinging.unref()
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#connection?.client.subscribe(this.#channel)
      if (!this.#isClosed) this.#listener?.onUp()
    } catch (reason) {
      this.#listener?.onDown(reason)
    }
  }

  readonly #receive = (channel: Buffer, payload: Buffer): void => {
    if (this.#isClosed || channel.toString() !== this.#channel) return
    let message: ReturnType<typeof decodeMessage>
    try {
      message = decodeMessage(payload)
    } catch (reason) {
      this.#listener?.onGarbage(reason)
      return
    }
    this.#listener?.onMessage(message)
  }

  async #ping(): Promise<void> {
    const connection = this.#connection
    if (connection === undefined || !connection.isReady || connection.client.isCluster === true)
      return
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer')), PING_TIMEOUT_MS)
      timer.unref()
    })
    try {
      await Promise.race([connection.client.ping(), silence])
    } catch {
      // Dead without a word: drop the socket and connect anew, which reports down and up.
      if (!this.#isClosed) connection.client.disconnect(true)
    } finally {
      clearTimeout(timer)
    }
  }
}
