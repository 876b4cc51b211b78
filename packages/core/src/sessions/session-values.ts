/** From the data of a session to the bytes that a store keeps, and back. */

import { SealedValues } from '../cache/sealed-values.ts'
import type { ValuePipeline } from '../cache/value-pipeline.ts'

/** Whose bytes they are: steps bind them to it. */
export interface SessionIdentity {
  /** Which sessions. */
  readonly sessions: string
  /** The whole id. */
  readonly id: string
}

export class SessionValues {
  readonly #values: SealedValues

  constructor(values: ValuePipeline) {
    this.#values = new SealedValues(values)
  }

  /** @throws ValueError for what would not come back unchanged, and what a codec step throws */
  seal(data: unknown, { sessions, id }: SessionIdentity): Promise<Uint8Array> {
    return this.#values.seal(data, { cache: `session:${sessions}`, key: id })
  }

  /** @throws UndecodableEntry */
  open(bytes: Uint8Array, { sessions, id }: SessionIdentity): Promise<unknown> {
    return this.#values.open(bytes, { cache: `session:${sessions}`, key: id })
  }
}
