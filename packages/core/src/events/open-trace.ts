/** One message of a tracing channel between its beginning and its end. */

import type { Channel, Trace } from './traces.ts'

export class OpenTrace<Message extends Trace> {
  readonly message: Message
  readonly #channel: Channel<Message>
  readonly #open: Set<OpenTrace<never>> | undefined
  #isOver = false

  /** `open`: where it is found while it has not ended. */
  constructor(channel: Channel<Message>, message: Message, open?: Set<OpenTrace<never>>) {
    this.#channel = channel
    this.message = message
    this.#open = open
    open?.add(this as unknown as OpenTrace<never>)
  }

  /** Begins, and runs work in the stores that subscribers have bound to the channel: a span that they make is the active one there. */
  run<Result>(work: () => Result): Result {
    const { start, end } = this.#channel
    try {
      return start.runStores(this.message, () => this.#surrounded(work))
    } finally {
      end.publish(this.message)
    }
  }

  /** Begins where no work runs in it. */
  begin(): this {
    this.run(nothing)
    return this
  }

  /** Ends well. Only the first end counts. */
  end(more?: Partial<Message>): void {
    if (this.#isOver) return
    this.#over(more)
    this.#publishEnd()
  }

  /** Ends with an error. */
  fail(error: unknown, more?: Partial<Message>): void {
    if (this.#isOver) return
    this.#over(more)
    this.message.error = error
    this.#channel.error.publish(this.message)
    this.#publishEnd()
  }

  /** Ends with what a promise settles with; returns one that settles after that. `wordsOf`: what is to be said of the result. */
  async until<Result>(
    answer: Promise<Result>,
    wordsOf?: (result: Result) => Partial<Message>,
  ): Promise<Result> {
    try {
      const result = await answer
      this.end(wordsOf?.(result))
      return result
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  #surrounded<Result>(work: () => Result): Result {
    const { surround } = this.message
    return surround === undefined ? work() : surround(work)
  }

  #over(more: Partial<Message> | undefined): void {
    this.#isOver = true
    this.#open?.delete(this as unknown as OpenTrace<never>)
    if (more !== undefined) Object.assign(this.message, more)
  }

  #publishEnd(): void {
    const { asyncStart, asyncEnd } = this.#channel
    asyncStart.publish(this.message)
    asyncEnd.publish(this.message)
  }
}

function nothing(): void {}
