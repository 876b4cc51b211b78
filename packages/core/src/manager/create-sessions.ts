/** Makes what a manager's sessions are kept with. */

import { SessionStore } from '../sessions/session-store.ts'
import { SessionValues } from '../sessions/session-values.ts'
import { createValues } from './create-values.ts'
import { type LatePart, type PartPlace, type StoreParts, storePart } from './late-part.ts'

/** What sessions need of a manager. */
export interface SessionParts extends StoreParts<SessionStore> {
  readonly values: SessionValues
}

/** @throws InvalidOptionError where there is no provider */
export function createSessions(place: PartPlace): LatePart<SessionParts> {
  const { options, node } = place
  return storePart('sessions', place, (provider, clock) => {
    const store = new SessionStore(provider, clock, node.events)
    return { store, values: new SessionValues(createValues(options, node)) }
  })
}
