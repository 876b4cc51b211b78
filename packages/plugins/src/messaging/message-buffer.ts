/** Messages that wait for a handler: bounded by their number and by their bytes; the oldest ones go first. */

export interface WaitingMessage {
  /** The whole name of the topic. */
  readonly topic: string
  readonly payload: Uint8Array
}

export class MessageBuffer {
  readonly #most: number
  readonly #mostBytes: number
  #messages: WaitingMessage[] = []
  /** Where the first one is: taking from the front of a long array costs as much as the array is long. */
  #first = 0
  #bytes = 0

  constructor(most: number, mostBytes: number) {
    this.#most = most
    this.#mostBytes = mostBytes
  }

  get size(): number {
    return this.#messages.length - this.#first
  }

  /** Returns those that had to go. */
  push(message: WaitingMessage): readonly WaitingMessage[] {
    this.#messages.push(message)
    this.#bytes += message.payload.length
    const dropped: WaitingMessage[] = []
    while (this.size > this.#most || (this.#bytes > this.#mostBytes && this.size > 1)) {
      const oldest = this.take()
      if (oldest !== undefined) dropped.push(oldest)
    }
    return dropped
  }

  take(): WaitingMessage | undefined {
    const message = this.#messages[this.#first]
    if (message === undefined) return undefined
    this.#first += 1
    this.#bytes -= message.payload.length
    if (this.#first * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first)
      this.#first = 0
    }
    return message
  }

  clear(): void {
    this.#messages = []
    this.#first = 0
    this.#bytes = 0
  }
}
