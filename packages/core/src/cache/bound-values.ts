/** From a value of a session or a message, which is not an entry of a cache, to bytes, and back: the manager's codec, and the codec steps of its plugins. */

import { UndecodableEntry } from '../entry/undecodable-entry.ts'
import { randomId } from './lease.ts'
import type { ValuePipeline } from './value-pipeline.ts'

/** Whose bytes they are: steps bind them to it. */
export interface BoundIdentity {
  /** What it is one of, such as `session:web`. With a colon, which no cache has in its name: so nothing of it opens as an entry, or the other way round. */
  readonly of: string
  /** Which one. */
  readonly id: string
  /** What else must not be changed without the steps noticing: text that is kept beside the bytes. */
  readonly beside?: string | undefined
}

const COMMIT_BYTES = 6
const MOST_STEPS = 255

/** Bytes: how many steps were applied, their ids, an id of this write, and the payload. */
export class BoundValues {
  readonly #values: ValuePipeline

  constructor(values: ValuePipeline) {
    this.#values = values
  }

  /** @throws ValueError for what would not come back unchanged, and what a codec step throws */
  async seal(value: unknown, whose: BoundIdentity): Promise<Uint8Array> {
    return this.sealEncoded(this.encode(value), whose)
  }

  /** As it is now, to be sealed later: a change of the value meanwhile does not change what is sealed. @throws ValueError */
  encode(value: unknown): Uint8Array {
    return this.#values.codec.encode(value)
  }

  /** `encoded`: of `encode`. @throws what a codec step throws */
  async sealEncoded(encoded: Uint8Array, whose: BoundIdentity): Promise<Uint8Array> {
    const commit = randomId()
    const { payload, steps } = await this.#values.seal(encoded, identityOf(whose, commit))
    const head = Buffer.alloc(1 + steps.length + COMMIT_BYTES)
    head[0] = steps.length
    head.set(steps, 1)
    head.writeUIntBE(commit, 1 + steps.length, COMMIT_BYTES)
    return Buffer.concat([head, payload])
  }

  /** @throws UndecodableEntry */
  async open(bytes: Uint8Array, whose: BoundIdentity): Promise<unknown> {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const count = view[0] ?? MOST_STEPS
    const from = 1 + count + COMMIT_BYTES
    if (view.length < from) throw new UndecodableEntry('format', new Error('The bytes are too few'))
    const steps = view.subarray(1, 1 + count)
    const commit = view.readUIntBE(1 + count, COMMIT_BYTES)
    const payload = view.subarray(from)
    const values = this.#values
    const isPlain = values.isPlain(steps)
    const opened = isPlain ? payload : await values.open(payload, steps, identityOf(whose, commit))
    return values.decode(opened, false)
  }
}

function identityOf({ of, id, beside }: BoundIdentity, commit: number) {
  const tags = beside === undefined ? [] : [beside]
  return { cache: of, key: `${of}:${id}`, flags: 0, commit, birth: 0, schema: 0, tags }
}
