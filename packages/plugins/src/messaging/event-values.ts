/**
 * Events as bytes, and back: by the schema, through the manager's codec and codec steps.
 *
 * An event is kept for ever, and schemas change. So the number of the schema stands beside each event, and `upcast` makes of an old event
 * what the schema of today takes, whenever it is read. What it does not take after that is an error of the reader: an event that
 * was left out quietly would be lost for who reads it.
 */

import { InvalidOptionError, MessageInvalidError } from '@larder/core'
import type { BoundValues, KeptEvent, NewEvent } from '@larder/core/store'
import type { EventOrigin, ResolvedEventStoreOptions } from './event-store-options.ts'
import { checked } from './schema.ts'

/** An event as it is read. */
export interface StoredEvent<Output> extends EventOrigin {
  readonly data: Output
  /** Which part of the event store it is in. From 0. */
  readonly partition: number
  /** Where it is in the order of that part. From 1. */
  readonly position: number
}

export class EventValues {
  readonly #values: BoundValues
  readonly #options: ResolvedEventStoreOptions

  constructor(values: BoundValues, options: ResolvedEventStoreOptions) {
    this.#values = values
    this.#options = options
  }

  /**
   * Kept as it was given, once the schema has taken it; who reads it gets what the schema makes of it.
   *
   * @throws MessageInvalidError; ValueError; InvalidOptionError when it is too large
   */
  async seal(stream: string, data: unknown, option: string): Promise<NewEvent> {
    const { name, schema, schemaVersion, maxBytes } = this.#options
    const checking = checked(schema, data, { topic: name, side: 'send' })
    // Encoded in this step, as it is checked: the caller may change it while the schema is asked.
    const sealing = this.#values.seal(data, this.#identity(stream, schemaVersion))
    sealing.catch(() => undefined)
    await checking
    const bytes = await sealing
    if (bytes.length <= maxBytes) return { schema: schemaVersion, bytes }
    throw new InvalidOptionError({
      option,
      expected: `an event of at most ${maxBytes} bytes, as encoded`,
      received: undefined,
      described: `one of ${bytes.length} bytes`,
    })
  }

  /** @throws MessageInvalidError; what `upcast` throws */
  async open<Output>(event: KeptEvent, partition: number): Promise<StoredEvent<Output>> {
    const { name, schema, upcast } = this.#options
    const { stream, version, position } = event
    const origin = { stream, version, at: new Date(event.at), schemaVersion: event.schema }
    const stored = await this.#open(event)
    const data = upcast === undefined ? stored : await upcast(stored, origin)
    const output = await checked(schema, data, { topic: name, side: 'receive' })
    return { ...origin, partition, position, data: output as Output }
  }

  async #open({ stream, schema, bytes }: KeptEvent): Promise<unknown> {
    try {
      return await this.#values.open(bytes, this.#identity(stream, schema))
    } catch (cause) {
      const { name: topic } = this.#options
      throw new MessageInvalidError({ topic, side: 'receive', reason: 'unreadable', cause })
    }
  }

  /** Its version is not known before it is appended, so that a step binds it to its stream only. */
  #identity(stream: string, schema: number) {
    return { of: `events:${this.#options.name}`, id: stream, beside: `${schema}` }
  }
}
