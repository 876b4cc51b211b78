/** From the data of a session to the bytes that a store keeps, and back. */

import type { BoundIdentity, BoundValues } from '../cache/bound-values.ts'

/** Whose bytes they are: steps bind them to it. */
export interface SessionIdentity {
  /** Which sessions. */
  readonly sessions: string
  /** The whole id. */
  readonly id: string
}

export class SessionValues {
  readonly #values: BoundValues

  constructor(values: BoundValues) {
    this.#values = values
  }

  /** @throws ValueError for what would not come back unchanged, and what a codec step throws */
  seal(data: unknown, whose: SessionIdentity): Promise<Uint8Array> {
    return this.#values.seal(data, identityOf(whose))
  }

  /** @throws UndecodableEntry */
  open(bytes: Uint8Array, whose: SessionIdentity): Promise<unknown> {
    return this.#values.open(bytes, identityOf(whose))
  }
}

function identityOf({ sessions, id }: SessionIdentity): BoundIdentity {
  return { of: `session:${sessions}`, id }
}
