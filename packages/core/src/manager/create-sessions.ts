/** Makes what a manager's sessions are kept with. */

import { assertSteps } from '../cache/step-order.ts'
import { ValuePipeline } from '../cache/value-pipeline.ts'
import { plainCodec } from '../sessions/plain-codec.ts'
import { SessionStore } from '../sessions/session-store.ts'
import { SessionValues } from '../sessions/session-values.ts'
import { type LatePart, type PartPlace, type StoreParts, storePart } from './late-part.ts'

/** What sessions need of a manager. */
export interface SessionParts extends StoreParts<SessionStore> {
  readonly values: SessionValues
}

/** @throws InvalidOptionError where there is no provider */
export function createSessions(place: PartPlace): LatePart<SessionParts> {
  const { options, node } = place
  return storePart('sessions', place, (provider, clock) => {
    const { namespace, types, plugins } = options
    const store = new SessionStore(provider, clock, node.events)
    const steps = plugins.flatMap((plugin) => plugin.codecSteps ?? [])
    assertSteps(steps)
    const pipeline = node.values ?? new ValuePipeline(plainCodec(types), steps, namespace)
    return { store, values: new SessionValues(pipeline) }
  })
}
