/** From values to what waits in a queue, and back: the codec, and the merge of changes. */

import { InvalidOptionError } from '@larder/core'
import type { BoundValues, TakenWrite, WriteKind } from '@larder/core/store'
import type { Merge } from './queue-options.ts'
import type { WrittenWrite } from './written-write.ts'

const NOTHING = new Uint8Array()

export interface QueueValuesParts {
  readonly queue: string
  readonly values: BoundValues
  readonly merge: Merge<unknown> | undefined
}

export class QueueValues {
  readonly #parts: QueueValuesParts

  constructor(parts: QueueValuesParts) {
    this.#parts = parts
  }

  /** @throws ValueError; InvalidOptionError for `undefined`, which is no value */
  async seal(key: string, kind: WriteKind, value: unknown): Promise<Uint8Array> {
    if (kind === 'delete') return NOTHING
    if (value === undefined) {
      const expected = 'a value; use delete for a key that is gone'
      throw new InvalidOptionError({ option: 'writeBehind.value', expected, received: value })
    }
    return this.#parts.values.seal(value, this.#whose(key))
  }

  /** @throws UndecodableEntry, and what a codec step throws */
  open(key: string, bytes: Uint8Array): Promise<unknown> {
    return this.#parts.values.open(bytes, this.#whose(key))
  }

  /** Makes one write of what waits under a key. @throws as `open`, and what `merge` throws */
  async written({ key, parts }: Pick<TakenWrite, 'key' | 'parts'>): Promise<WrittenWrite<unknown>> {
    const [first, ...others] = parts
    if (first === undefined) throw new Error('A write has no parts')
    const version = parts.at(-1)?.version ?? first.version
    const facts = { key, version, since: first.version }
    if (first.kind === 'delete') return { ...facts, kind: 'delete', value: undefined }
    let older = { value: await this.open(key, first.bytes), version: first.version }
    for (const part of others) {
      const newer = { value: await this.open(key, part.bytes), version: part.version }
      // Queued by a process whose queue merges.
      const value = this.#parts.merge === undefined ? newer.value : this.#parts.merge(older, newer)
      older = { value, version: newer.version }
    }
    return { ...facts, kind: first.kind, value: older.value }
  }

  #whose(key: string) {
    return { of: `writes:${this.#parts.queue}`, id: key }
  }
}
