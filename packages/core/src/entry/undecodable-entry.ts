/** An entry of the store cannot be read: why, in a word, and what was thrown. Never leaves the engine. */

import type { UndecodableReason } from '../events/events.ts'

export class UndecodableEntry extends Error {
  readonly reason: UndecodableReason

  constructor(reason: UndecodableReason, cause: unknown) {
    super('The entry cannot be read', { cause })
    this.reason = reason
  }
}
