/** Messages that a group gave up. */

import {
  assertInteger,
  assertKnownOptions,
  type DeadLetterEntry,
  optionNames,
  type StreamGroup,
  type StreamParts,
} from '@larder/core/store'
import { attributesOf, type MessageAttributes, openMessage } from './envelope.ts'
import { assertStreamName, messageText, type ResolvedStreamOptions } from './stream-options.ts'

/** A message that a group gave up. */
export interface DeadLetter {
  /** Names the dead letter, for `replay` and `discard`. Later ones are larger. */
  readonly letter: string
  /** Why it was given up: name and text of the error. */
  readonly error: string
  /** How often it had been delivered. */
  readonly deliveries: number
  /** Absent when they cannot be read. */
  readonly attributes: MessageAttributes | undefined
  /** What was sent, not checked by the schema; `undefined` also when it cannot be read. */
  readonly data: unknown
}

/** What `deadLetters` may be told. */
export interface DeadLettersOptions {
  /** The last one of the page before: those after it are listed. @default the first ones */
  readonly after?: string | undefined
  /** How many at most. 1 to 1 000. @default 100 */
  readonly count?: number | undefined
}

const NAMES = optionNames<DeadLettersOptions>({ after: true, count: true })
const MOST = 1_000
const ID = /^\d+-\d+$/

export class DeadLetters {
  readonly #parts: StreamParts
  readonly #stream: string
  readonly #timeoutMs: number

  constructor(parts: StreamParts, { rule, timeoutMs }: ResolvedStreamOptions<unknown>) {
    this.#parts = parts
    this.#stream = rule.stream
    this.#timeoutMs = timeoutMs
  }

  /** @throws InvalidOptionError; StreamUnavailableError; so do all of these */
  async list(group: string, options: DeadLettersOptions): Promise<readonly DeadLetter[]> {
    assertKnownOptions(options, NAMES, 'stream.deadLetters')
    const { after, count = 100 } = options
    const place = this.#groupOf(group, 'deadLetters')
    if (after !== undefined) messageText(after, 'stream.deadLetters.after')
    assertInteger(count, 'stream.deadLetters.count', { min: 1, max: MOST })
    // What is not an id of a letter comes from elsewhere, and nothing is after it.
    if (after !== undefined && !ID.test(after)) return []
    const letters = await this.#parts.store.ask('deadLetters', this.#timeoutMs, (provider) =>
      provider.deadLetters(place, after, count),
    )
    return Promise.all(letters.map((letter) => this.#shown(letter)))
  }

  async replay(group: string, letter: string): Promise<boolean> {
    const place = this.#groupOf(group, 'replay')
    if (!isLetter(letter, 'replay')) return false
    const entry = await this.#parts.store.ask('replay', this.#timeoutMs, (provider) =>
      provider.replay(place, letter),
    )
    return entry !== undefined
  }

  async discard(group: string, letter: string): Promise<boolean> {
    const place = this.#groupOf(group, 'discard')
    if (!isLetter(letter, 'discard')) return false
    return this.#parts.store.ask('discard', this.#timeoutMs, (provider) =>
      provider.discard(place, letter),
    )
  }

  #groupOf(group: string, where: string): StreamGroup {
    assertStreamName(group, `stream.${where}.group`)
    return { stream: this.#stream, group }
  }

  async #shown({ letter, bytes, error, deliveries }: DeadLetterEntry): Promise<DeadLetter> {
    const attributes = attributesOf(bytes)
    const topic = `stream:${this.#stream}`
    const data = await openMessage(this.#parts.values, topic, bytes).then(
      (message) => message.data,
      () => undefined,
    )
    return { letter, error, deliveries, attributes, data }
  }
}

function isLetter(letter: unknown, where: string): letter is string {
  return ID.test(messageText(letter, `stream.${where}.letter`))
}
