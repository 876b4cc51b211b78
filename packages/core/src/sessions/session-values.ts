/** From the data of a session to the bytes that a store keeps, and back: the manager's codec, and the codec steps of its plugins. */

import { randomId } from '../cache/lease.ts'
import type { ValuePipeline } from '../cache/value-pipeline.ts'
import { UndecodableEntry } from '../entry/undecodable-entry.ts'

/** Whose bytes they are: steps bind them to it. */
export interface SessionIdentity {
  /** Which sessions. */
  readonly sessions: string
  /** The whole id. */
  readonly id: string
}

const COMMIT_BYTES = 6
const MOST_STEPS = 255

/**
 * Bytes: how many steps were applied, their ids, an id of this write, and the payload.
 *
 * No cache has a colon in its name, so nothing of a session opens as an entry, or the other way round.
 */
export class SessionValues {
  readonly #values: ValuePipeline

  constructor(values: ValuePipeline) {
    this.#values = values
  }

  /** @throws ValueError for what would not come back unchanged, and what a codec step throws */
  async seal(data: unknown, whose: SessionIdentity): Promise<Uint8Array> {
    const commit = randomId()
    const encoded = this.#values.codec.encode(data)
    const { payload, steps } = await this.#values.seal(encoded, identityOf(whose, commit))
    const head = Buffer.alloc(1 + steps.length + COMMIT_BYTES)
    head[0] = steps.length
    head.set(steps, 1)
    head.writeUIntBE(commit, 1 + steps.length, COMMIT_BYTES)
    return Buffer.concat([head, payload])
  }

  /** @throws UndecodableEntry */
  async open(bytes: Uint8Array, whose: SessionIdentity): Promise<unknown> {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const count = view[0] ?? MOST_STEPS
    const from = 1 + count + COMMIT_BYTES
    if (view.length < from) throw new UndecodableEntry('format', new Error('No session'))
    const steps = view.subarray(1, 1 + count)
    const commit = view.readUIntBE(1 + count, COMMIT_BYTES)
    const payload = view.subarray(from)
    const values = this.#values
    const isPlain = values.isPlain(steps)
    const opened = isPlain ? payload : await values.open(payload, steps, identityOf(whose, commit))
    return values.decode(opened, false)
  }
}

function identityOf({ sessions, id }: SessionIdentity, commit: number) {
  const cache = `session:${sessions}`
  return { cache, key: `${cache}:${id}`, flags: 0, commit, birth: 0, schema: 0, tags: [] }
}
